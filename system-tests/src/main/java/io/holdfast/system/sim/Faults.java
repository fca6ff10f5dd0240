package io.holdfast.system.sim;

/**
 * What goes wrong in the first phase of a run.
 *
 * @param delayNanos longest way of a frame or message
 * @param drops share of frames that are lost
 * @param duplicates share of frames and messages that come again
 * @param pressure share of offers that a link refuses
 * @param losses share of control messages from and to workers that are lost
 * @param pauses how often some process stops for a while
 * @param deaths how many workers are killed, or are alive and taken for dead
 * @param serverDeaths how many servers are killed
 * @param told whether the coordinator is told of them, and the job goes on; else it stands still
 * @param untilNanos when the calm phase begins
 * @param spares how many new server processes come to take lost servers' places
 */
record Faults(
    long delayNanos,
    double drops,
    double duplicates,
    double pressure,
    double losses,
    int pauses,
    int deaths,
    int serverDeaths,
    boolean told,
    long untilNanos,
    int spares) {
  /** No new server comes. */
  Faults(
      long delayNanos,
      double drops,
      double duplicates,
      double pressure,
      double losses,
      int pauses,
      int deaths,
      int serverDeaths,
      boolean told,
      long untilNanos) {
    this(
        delayNanos,
        drops,
        duplicates,
        pressure,
        losses,
        pauses,
        deaths,
        serverDeaths,
        told,
        untilNanos,
        0);
  }

  Faults withSpares(int count) {
    return new Faults(
        delayNanos,
        drops,
        duplicates,
        pressure,
        losses,
        pauses,
        deaths,
        serverDeaths,
        told,
        untilNanos,
        count);
  }

  static Faults none(long delayNanos) {
    return new Faults(delayNanos, 0, 0, 0, 0, 0, 0, 0, false, 0);
  }
}
