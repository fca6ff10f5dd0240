package io.holdfast.config.settings;

/** What carries the data plane. */
public enum LinkKind {
  /** Queues inside one process. */
  MEMORY,
  /** Aeron through shared memory, between processes of one host that share a media driver. */
  IPC,
  /** Aeron over UDP, between any hosts. */
  UDP
}
