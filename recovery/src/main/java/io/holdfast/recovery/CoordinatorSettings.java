package io.holdfast.recovery;

/**
 * What a coordinator is given from outside.
 *
 * @param term greater than that of every coordinator of this job before (hazard 2)
 * @param sessionKey drawn at random; frames without it are dropped
 * @param repeatNanos what a server did not answer for so long is sent again
 */
public record CoordinatorSettings(int term, long sessionKey, long repeatNanos) {
  public CoordinatorSettings {
    if (term < 1 || repeatNanos < 1) {
      throw new IllegalArgumentException(
          "term " + term + ", repeat after " + repeatNanos + " ns: both must be positive");
    }
  }

  @Override
  public String toString() {
    // The session key must not reach a log.
    return "term " + term + ", repeat after " + repeatNanos + " ns";
  }
}
