package io.holdfast.recovery;

import io.holdfast.config.control.ControlMessage;
import io.holdfast.config.placement.NodeId;

/** What the coordinator does to the world. */
public interface CoordinatorEffects {
  /** From now on this process is the node. */
  void named(NodeId node, long incarnation);

  /** A message to the process that is this node now. */
  void send(NodeId to, ControlMessage message);

  /** A message to a process that is no node, or no longer. */
  void toUnregistered(long incarnation, ControlMessage message);

  /**
   * How the job ended. Once per job; but a {@link JobOutcome.JobTrained} may be followed by a
   * {@link JobOutcome.JobLost} if a server dies while the model is still being read.
   */
  void outcome(JobOutcome outcome);

  /** How far the job is; about once a second, and when its phase changes. */
  void progress(JobProgress progress);
}
