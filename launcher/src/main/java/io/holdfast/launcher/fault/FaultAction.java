package io.holdfast.launcher.fault;

import java.util.Locale;

/** What is done to a process, a link or a row. */
public enum FaultAction {
  /** {@code kill -9}. */
  KILL,
  /** SIGSTOP: it is there and silent. */
  STOP,
  /** SIGSTOP, and SIGCONT after a while. */
  PAUSE,
  /** All frames between two processes are lost, in both directions. */
  CUT,
  /** All frames between two processes are late. */
  SLOW,
  /** A bit of a stored row is flipped. */
  CORRUPT,
  /** A process takes memory. */
  FILL;

  /** As people write it. */
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }
}
