package io.holdfast.config.job;

/** How an iteration becomes part of the model. */
public enum CommitMode {
  /** Staged everywhere, decided, then applied: everywhere or nowhere. */
  TWO_PHASE,
  /**
   * Each server applies its part as soon as it has it. Saves a round trip; when somebody dies on
   * the way, an iteration may be applied in part. For comparison.
   */
  ONE_PHASE
}
