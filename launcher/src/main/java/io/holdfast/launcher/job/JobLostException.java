package io.holdfast.launcher.job;

/** More was lost than the job can bear. The message names what. */
public final class JobLostException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public JobLostException(String message) {
    super(message);
  }
}
