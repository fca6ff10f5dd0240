package io.holdfast.launcher.fault;

import io.holdfast.config.placement.NodeId;
import java.util.OptionalLong;

/** The processes of a job, as far as this one may do something to them. */
public interface Processes {
  /** The process that is this node; empty: there is none, or it has ended. */
  OptionalLong pid(NodeId node);

  /** Sends a line to the process that is this node; nothing if there is none. */
  void order(NodeId node, String line);
}
