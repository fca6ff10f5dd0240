/**
 * Whole clusters in one thread: real state machines, endpoints and codec; simulated time, network,
 * data, arithmetic and faults. The same seed gives the same run. docs/simulator.md tells how to use
 * it and what it checks.
 */
package io.holdfast.system.sim;
