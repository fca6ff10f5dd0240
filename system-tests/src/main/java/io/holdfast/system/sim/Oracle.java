package io.holdfast.system.sim;

/** What notices that a run is wrong. */
public enum Oracle {
  /** Once faults have ended everything comes to its end. */
  LIVENESS("nothing moves any more"),
  /** A state machine says so itself, by an exception. */
  SELF_CHECK("a process found itself in a state that must not be"),
  /** Workers, the coordinator and what servers apply agree on what is decided. */
  DECISIONS("decisions contradict one another"),
  /** Every line is trained once per pass. */
  DATA("data was left out or trained twice"),
  /** Rows hold each committed transaction exactly once. */
  ROWS("a row has another value than its transactions give it"),
  /** So do NN shards. */
  NN("an NN shard has another value than its transactions give it"),
  /** Parities are the code of their stripes, and count their updates. */
  PARITY("a parity is not the code of its stripe"),
  /** Lost rows come back, bit for bit, from what the others hold. */
  DECODE("a lost row does not come back as it must"),
  /** Holders that lag behind a dead owner's last updates are levelled from others' tails. */
  TAILS("holders cannot be levelled"),
  /** Copies of NN shards and of records of data are the same everywhere. */
  REPLICAS("a copy differs"),
  /** What was acknowledged is redundant. */
  DURABILITY("something acknowledged is lost with its server"),
  /** Streams are acknowledged once all is still. */
  STREAMS("a stream stands"),
  /** Nothing is left over, and memory is bounded. */
  LEFTOVERS("something was left behind"),
  /** No frame is malformed. */
  FRAMES("a frame was wrong");

  private final String meaning;

  Oracle(String meaning) {
    this.meaning = meaning;
  }

  String meaning() {
    return meaning;
  }
}
