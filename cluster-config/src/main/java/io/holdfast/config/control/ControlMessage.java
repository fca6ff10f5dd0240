package io.holdfast.config.control;

/**
 * A message of the control plane; serialised by Jackson (bound in {@code holdfast-cluster.conf}).
 */
public interface ControlMessage {}
