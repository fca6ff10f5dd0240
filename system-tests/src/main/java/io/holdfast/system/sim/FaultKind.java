package io.holdfast.system.sim;

import java.util.Locale;

/** What the simulator does to a job. */
public enum FaultKind {
  FRAMES_LOST,
  FRAMES_REPEATED,
  FRAMES_HELD_BACK,
  MESSAGES_LOST,
  MESSAGES_REPEATED,
  PAUSES,
  WORKERS_KILLED,
  WORKERS_FENCED_ALIVE,
  SERVERS_KILLED,
  SERVERS_REPLACED,
  SPARES_KILLED;

  String words() {
    return name().toLowerCase(Locale.ROOT).replace('_', ' ');
  }
}
