package io.holdfast.worker;

import java.util.Locale;

/** Sorts of failure that end a job, as the coordinator is told. */
public enum FailureKind {
  /** The input is bad. */
  DATA,
  /** A loss or gradient is not finite. */
  NUMERIC,
  /** This worker was declared dead and is fenced. */
  FENCED,
  /** A defect, or a machine that fails. */
  INTERNAL;

  /** The word on the wire. */
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }
}
