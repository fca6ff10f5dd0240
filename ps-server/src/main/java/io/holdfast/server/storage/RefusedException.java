package io.holdfast.server.storage;

import io.holdfast.config.protocol.RefusalReason;

/** A message asks for what cannot be done. No parameter was changed. Cheap: has no stack trace. */
public final class RefusedException extends Exception {
  private static final long serialVersionUID = 1L;

  private final RefusalReason reason;

  public RefusedException(RefusalReason reason, String message) {
    super(message, null, false, false);
    this.reason = reason;
  }

  public RefusalReason reason() {
    return reason;
  }
}
