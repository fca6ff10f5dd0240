package io.holdfast.config.preflight;

/** How a check went. */
public enum CheckStatus {
  OK,
  /** The job runs, but slower or with less room than it should have. */
  WARN,
  /** The job cannot start, or would die later. */
  FAIL
}
