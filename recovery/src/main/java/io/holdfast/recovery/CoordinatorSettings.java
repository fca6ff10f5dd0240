package io.holdfast.recovery;

/**
 * What a coordinator is given from outside.
 *
 * @param term greater than that of every coordinator of this job before (hazard 2)
 * @param sessionKey drawn at random; frames without it are dropped
 * @param repeatNanos what a server did not answer for so long is sent again
 * @param standby most servers that may wait to take a lost one's place
 */
public record CoordinatorSettings(int term, long sessionKey, long repeatNanos, int standby) {
  /** Nobody waits; only where a server is lost may a new process take its place. */
  public CoordinatorSettings(int term, long sessionKey, long repeatNanos) {
    this(term, sessionKey, repeatNanos, 0);
  }

  public CoordinatorSettings {
    if (term < 1 || repeatNanos < 1 || standby < 0) {
      throw new IllegalArgumentException(
          "term %d, repeat after %d ns, %d on standby".formatted(term, repeatNanos, standby));
    }
  }

  @Override
  public String toString() {
    // The session key must not reach a log.
    return "term " + term + ", repeat after " + repeatNanos + " ns";
  }
}
