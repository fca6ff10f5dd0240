package io.holdfast.launcher.fault;

import io.holdfast.config.placement.NodeId;

/** Whom a fault befalls. */
public sealed interface FaultTarget {
  /** A server or worker by its index. */
  record Node(NodeId node) implements FaultTarget {
    @Override
    public String toString() {
      return node.toString();
    }
  }

  /** The process that the coordinator runs in. */
  record Coordinator() implements FaultTarget {
    @Override
    public String toString() {
      return "coordinator";
    }
  }

  /** The server that waits for, or is given, a lost server's share. */
  record Spare() implements FaultTarget {
    @Override
    public String toString() {
      return "spare";
    }
  }

  /** The server that owns a row, counted over all tables. */
  record OwnerOfRow(long row) implements FaultTarget {
    @Override
    public String toString() {
      return "owner-of-row=" + row;
    }
  }

  /** The server with the first parity of a row's stripe. */
  record HolderOfRow(long row) implements FaultTarget {
    @Override
    public String toString() {
      return "holder-of-row=" + row;
    }
  }

  /** The way between two processes. */
  record Link(NodeId one, NodeId other) implements FaultTarget {
    @Override
    public String toString() {
      return one + "-" + other;
    }
  }
}
