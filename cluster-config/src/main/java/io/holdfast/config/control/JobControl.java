package io.holdfast.config.control;

import com.fasterxml.jackson.annotation.JsonIgnore;
import io.holdfast.config.job.JobSpec;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.placement.PlacementMap;
import io.holdfast.config.settings.TransportSettings;

/** Between the coordinator and every kind of process. */
public final class JobControl {
  private JobControl() {}

  /** To a process: you are this node. */
  public record Registered(NodeId node) implements ControlMessage {}

  /** To a process: you are not needed, and why. */
  public record RegistrationRefused(String reason) implements ControlMessage {}

  /** To a reader: the map. */
  public record MapForReader(PlacementMap map) implements ControlMessage {}

  /**
   * Answers {@link DescribeJob}.
   *
   * @param transport how a process opens a data link that reaches the job's servers; its link kind
   *     is there
   */
  public record JobDescribed(JobSpec job, TransportSettings transport) implements ControlMessage {}

  /** From a supervisor that saw a process end, to the coordinator: sooner than silence tells. */
  public record ProcessEnded(NodeId node, long pid, String cause) implements ControlMessage {}

  /** To a process: the job is over; stop. To the coordinator: stop the job and all processes. */
  public record Stop(String reason) implements ControlMessage {
    /** Whether the process was taken for dead, and comes back. */
    @JsonIgnore
    public boolean isExpulsion() {
      return reason.contains("was declared dead");
    }
  }
}
