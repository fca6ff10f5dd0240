package io.holdfast.config.job;

/** How far workers may run apart. */
public enum SyncMode {
  /** Nobody waits for anybody. */
  ASYNC,
  /** The fastest worker is at most {@code staleness} steps ahead of the slowest. */
  BOUNDED,
  /** All workers finish a step before any starts the next. */
  SYNC
}
