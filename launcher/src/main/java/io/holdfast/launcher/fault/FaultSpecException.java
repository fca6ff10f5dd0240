package io.holdfast.launcher.fault;

/** A fault that cannot be understood, or that there cannot be; the message says what would be. */
public final class FaultSpecException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  FaultSpecException(String spec, String sentence) {
    super("--fault " + spec + ": " + sentence);
  }
}
