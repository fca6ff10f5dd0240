package io.holdfast.config.transport;

import io.holdfast.config.placement.NodeId;

/** Opens the data links of one process. */
public interface LinkFactory extends AutoCloseable {
  /**
   * Where peers reach this process's links, told to the coordinator at registration: {@code
   * host:port}, or empty where all nodes share one host's links.
   */
  String endpoint();

  /** Opens the link of a node of this process. The caller closes it. */
  DataLink open(NodeId self);

  /** Releases what the links shared. Call after all links are closed. */
  @Override
  void close();
}
