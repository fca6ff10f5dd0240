package io.holdfast.recovery;

/** A process said something that cannot be: a defect, which must end the job loudly. */
public final class ProtocolException extends RuntimeException {
  private static final long serialVersionUID = 1;

  ProtocolException(String message) {
    super(message);
  }
}
