package io.holdfast.config.control;

import io.holdfast.config.placement.NodeId;
import io.holdfast.config.placement.PlacementMap;

/** Between the coordinator and every kind of process. */
public final class JobControl {
  private JobControl() {}

  /** To a process: you are this node. */
  public record Registered(NodeId node) implements ControlMessage {}

  /** To a process: you are not needed, and why. */
  public record RegistrationRefused(String reason) implements ControlMessage {}

  /** To a reader: the map. */
  public record MapForReader(PlacementMap map) implements ControlMessage {}

  /** To a process: the job is over; stop. */
  public record Stop(String reason) implements ControlMessage {}
}
