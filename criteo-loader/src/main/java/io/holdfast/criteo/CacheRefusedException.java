package io.holdfast.criteo;

/** A cache that does not fit its source or is damaged. The caller reads the raw files instead. */
public final class CacheRefusedException extends Exception {
  private static final long serialVersionUID = 1L;

  public CacheRefusedException(String message) {
    super(message);
  }

  public CacheRefusedException(String message, Throwable cause) {
    super(message, cause);
  }
}
