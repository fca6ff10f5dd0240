package io.holdfast.config.protocol;

import io.holdfast.config.placement.Epoch;
import io.holdfast.config.placement.NodeId;

/** Who speaks to whom, in which epoch; see the schema's prose. */
public record Envelope(
    long sessionKey,
    Epoch epoch,
    NodeId sender,
    long senderIncarnation,
    NodeId addressee,
    long addresseeIncarnation) {
  @Override
  public String toString() {
    // The session key must not reach a log.
    return sender
        + "/"
        + Long.toHexString(senderIncarnation)
        + " to "
        + addressee
        + "/"
        + Long.toHexString(addresseeIncarnation)
        + " in epoch "
        + epoch;
  }
}
