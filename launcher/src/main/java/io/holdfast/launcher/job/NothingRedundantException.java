package io.holdfast.launcher.job;

/** There is nothing to compare: the job keeps everything once only. */
public final class NothingRedundantException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public NothingRedundantException() {
    super(
        "the job runs with redundancy = none: every row is in one place only, so there is nothing"
            + " to compare; start it with --redundancy ecrm");
  }
}
