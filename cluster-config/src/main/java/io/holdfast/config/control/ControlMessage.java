package io.holdfast.config.control;

/** A message of the control plane; serialised by Jackson (bound in {@code reference.conf}). */
public interface ControlMessage {}
