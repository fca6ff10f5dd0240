package io.holdfast.config.job;

/** Whether differences are packed, without loss, before they are sent. */
public enum Packing {
  OFF,
  ON
}
