package io.holdfast.launcher.job;

/** Input other than Criteo lines that is damaged, such as a saved model. The message says how. */
public final class BadDataException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public BadDataException(String message) {
    super(message);
  }

  public BadDataException(String message, Throwable cause) {
    super(message, cause);
  }
}
