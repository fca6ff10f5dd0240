package io.holdfast.launcher.job;

/** Training ended before its data did. The message says why. */
public final class TrainingFailedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public TrainingFailedException(String message) {
    super(message);
  }
}
