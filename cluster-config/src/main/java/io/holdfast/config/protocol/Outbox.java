package io.holdfast.config.protocol;

import io.holdfast.config.placement.NodeId;

/** Where a state machine puts the messages that it wants sent: its effects on the data plane. */
@FunctionalInterface
public interface Outbox {
  /** Sends a message; its payloads are read before this returns. Never blocks. */
  void send(NodeId to, DataMessage message);

  /**
   * Whether messages to a node wait on this side, because the link does not take them now. What is
   * not answered is then late, not lost: to send it again would only make more wait.
   */
  default boolean isCongested(NodeId to) {
    return false;
  }
}
