package io.holdfast.config.protocol;

/** A frame that cannot be what a sound sender sent. Dropped and counted, never acted upon. */
public final class MalformedFrameException extends Exception {
  private static final long serialVersionUID = 1L;

  public MalformedFrameException(String message) {
    super(message);
  }

  public MalformedFrameException(String message, Throwable cause) {
    super(message, cause);
  }
}
