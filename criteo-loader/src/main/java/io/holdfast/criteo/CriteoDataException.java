package io.holdfast.criteo;

/** Input that is missing, damaged or malformed. The message names the file and what is wrong. */
public final class CriteoDataException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public CriteoDataException(String message) {
    super(message);
  }

  public CriteoDataException(String message, Throwable cause) {
    super(message, cause);
  }
}
