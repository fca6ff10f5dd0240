package io.holdfast.config.transport;

import io.holdfast.config.placement.NodeId;
import io.holdfast.config.protocol.DataMessage;

/** Gets messages whose envelope was checked. */
@FunctionalInterface
public interface MessageHandler {
  /**
   * A message.
   *
   * @param from a live member of the current map
   * @param message payloads are valid only until this returns
   */
  void onMessage(NodeId from, DataMessage message);
}
