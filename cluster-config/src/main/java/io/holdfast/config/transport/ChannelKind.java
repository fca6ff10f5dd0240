package io.holdfast.config.transport;

/** How Aeron moves frames. */
public enum ChannelKind {
  /** Through shared memory, between the processes of one host. */
  IPC,
  /** Over UDP, between hosts. */
  UDP
}
