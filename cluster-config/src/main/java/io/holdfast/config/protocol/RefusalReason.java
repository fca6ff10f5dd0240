package io.holdfast.config.protocol;

/** Why a server did not do what a message asked. */
public enum RefusalReason {
  /** The sender is behind (or ahead of) the receiver's epoch. Send again in the right one. */
  STALE_EPOCH(1),
  /** No memory for staged parts now. Try again later. */
  BUSY(2),
  /** A Commit for a transaction of which nothing is known here. */
  UNKNOWN_TRANSACTION(3),
  /** The transaction was resolved as aborted; its worker is fenced. */
  ABORTED(4),
  /** The message asks for something that this server does not own. A bug or another job's frame. */
  NOT_OWNER(5),
  /** Lengths or counts do not fit the model. */
  MALFORMED(6);

  private final int code;

  RefusalReason(int code) {
    this.code = code;
  }

  public int code() {
    return code;
  }

  /**
   * The reason of a code.
   *
   * @throws MalformedFrameException if there is none
   */
  public static RefusalReason of(int code) throws MalformedFrameException {
    for (RefusalReason reason : values()) {
      if (reason.code == code) {
        return reason;
      }
    }
    throw new MalformedFrameException("refusal reason " + code);
  }
}
