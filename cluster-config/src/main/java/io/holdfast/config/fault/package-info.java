/**
 * Failures that a process is told to have: where it may stop, what becomes of its data links. Only
 * for processes that were started for that ({@link io.holdfast.config.fault.FaultPoints#ON}).
 */
package io.holdfast.config.fault;
