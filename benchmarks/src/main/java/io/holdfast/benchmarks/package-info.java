/** Measurements of whole systems. Figures and commands: docs/benchmarks.md. */
package io.holdfast.benchmarks;
