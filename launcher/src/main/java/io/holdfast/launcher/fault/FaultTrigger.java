package io.holdfast.launcher.fault;

import io.holdfast.config.fault.InjectionPoint;
import java.util.Optional;

/**
 * When a fault is to happen: once a job is so far, and, if a phase is named, when the process that
 * it befalls next is there.
 *
 * @param kind how it is told that the job is so far
 * @param value iterations, nanoseconds, or a share from 0 to 1
 */
public record FaultTrigger(Kind kind, double value, Optional<InjectionPoint> phase) {
  /** What is counted. */
  public enum Kind {
    /** Training has begun. */
    START,
    /** Iterations of all workers together. */
    ITERATION,
    /** Time since training began. */
    TIME,
    /** Share of the job. */
    PROGRESS
  }
}
