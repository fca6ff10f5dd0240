package io.holdfast.recovery;

/**
 * Where a job is.
 *
 * <pre>
 *   GATHERING -> STARTING -> TRAINING -> COUNTING -> SERVING
 *       |            |           |           |          |
 *       +------------+-----------+-----------+----------+--> OVER
 * </pre>
 */
public enum JobPhase {
  /** Servers and workers register. */
  GATHERING,
  /** Servers allocate their shares. */
  STARTING,
  /** Workers train. */
  TRAINING,
  /** All is trained; servers are asked what they committed. */
  COUNTING,
  /** The outcome is told; servers serve readers. */
  SERVING,
  /** Stopped, failed or lost. */
  OVER;

  boolean mayBecome(JobPhase next) {
    return switch (next) {
      case GATHERING -> false;
      case STARTING -> this == GATHERING;
      case TRAINING -> this == STARTING;
      case COUNTING -> this == TRAINING;
      case SERVING -> this == COUNTING;
      case OVER -> this != OVER;
    };
  }
}
