package io.holdfast.launcher.fault;

import io.holdfast.config.job.JobSpec;
import io.holdfast.config.placement.NodeId;
import java.util.OptionalLong;

/**
 * A failure to inject, as {@code --fault} names it.
 *
 * @param text as the user wrote it
 * @param row the row to damage; empty: any, or nothing is damaged
 * @param durationNanos until it passes by itself; empty: never
 * @param delayNanos by which frames are late
 * @param bytes of memory to take
 */
public record FaultSpec(
    String text,
    FaultAction action,
    FaultTarget target,
    OptionalLong row,
    OptionalLong durationNanos,
    long delayNanos,
    long bytes,
    FaultTrigger trigger) {
  /**
   * Checks it against the job that it is for.
   *
   * @throws FaultSpecException if there is no such process or row
   */
  public void requirePossible(JobSpec job) {
    switch (target) {
      case FaultTarget.Node t -> requireNode(t.node(), job);
      case FaultTarget.Link t -> {
        requireNode(t.one(), job);
        requireNode(t.other(), job);
      }
      case FaultTarget.OwnerOfRow t -> requireRow(t.row(), job);
      case FaultTarget.HolderOfRow t -> {
        requireRow(t.row(), job);
        if (!job.redundancy().isOn()) {
          throw problem("without redundancy no server holds a parity; add --redundancy ecrm");
        }
      }
      case FaultTarget.Coordinator t ->
          throw problem(
              "the coordinator is in this process and has no successor in this version, so the job"
                  + " would only end");
      case FaultTarget.Spare t ->
          throw problem(
              "a spare cannot be told to fail yet; name another process, such as server-1");
    }
    if (trigger.kind() == FaultTrigger.Kind.TIME && trigger.value() < 0) {
      throw problem("a time lies in the past");
    }
  }

  /** The process that it befalls; of a link the first one. */
  NodeId node(JobSpec job) {
    return switch (target) {
      case FaultTarget.Node t -> t.node();
      case FaultTarget.Link t -> t.one();
      case FaultTarget.OwnerOfRow t -> NodeId.server(job.stripeMap().serverOfRow(t.row()));
      case FaultTarget.HolderOfRow t -> {
        int k = job.stripeMap().k();
        yield NodeId.server(job.stripeMap().serverOf(t.row() / k, k));
      }
      case FaultTarget.Coordinator t -> throw problem("the coordinator is no node");
      case FaultTarget.Spare t -> throw problem("there is no spare");
    };
  }

  private void requireNode(NodeId node, JobSpec job) {
    int count = node.role() == NodeId.Role.SERVER ? job.servers() : job.workers();
    if (node.index() >= count) {
      throw problem(
          "there is no "
              + node
              + ": the job has "
              + count
              + (node.role() == NodeId.Role.SERVER ? " servers" : " workers")
              + ", counted from 0");
    }
  }

  private void requireRow(long row, JobSpec job) {
    if (row >= job.model().totalRows()) {
      throw problem("there is no row " + row + ": the job has " + job.model().totalRows());
    }
  }

  private FaultSpecException problem(String sentence) {
    return new FaultSpecException(text, sentence);
  }
}
