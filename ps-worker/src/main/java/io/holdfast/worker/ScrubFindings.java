package io.holdfast.worker;

import java.util.List;

/**
 * What comparing the redundant parts of a model with what they protect came to.
 *
 * @param parities that were compared with their stripes; those of rows that were never updated are
 *     left out
 * @param rows that were ever updated, of these stripes, each counted once
 * @param nnReplicas copies of NN shards that were compared with their primaries
 * @param wrong of the parities and replicas, those that did not fit
 * @param located of these, those whose wrong member is known
 * @param repaired of these, those that were put right and fit now
 * @param deviation largest difference, relative to the largest value of its stripe; not 0 for the
 *     float sum code, which rounds
 * @param members the first wrong ones
 */
public record ScrubFindings(
    long parities,
    long rows,
    long nnReplicas,
    long wrong,
    long located,
    long repaired,
    double deviation,
    List<WrongMember> members) {
  public ScrubFindings {
    members = List.copyOf(members);
  }

  /** How many are wrong still. */
  public long left() {
    return wrong - repaired;
  }

  /** What a wrong member is. */
  public enum Kind {
    /** A stripe; which of its members is wrong is not known. */
    STRIPE,
    /** A row or its update counter. */
    ROW,
    /** A parity or one of its counters. */
    PARITY,
    /** A copy of an NN shard, or its primary. */
    NN_SHARD
  }

  /**
   * Something that is not as it should be.
   *
   * @param kind what it is
   * @param index the stripe; of {@code NN_SHARD} the shard
   * @param position in the stripe, {@code 0..k-1} rows, then parities; -1 if it is not known
   * @param row of all tables together; -1 if it is no row
   * @param server that has it; the one that found it if it is not known where the fault is
   */
  public record WrongMember(Kind kind, long index, int position, long row, int server) {
    @Override
    public String toString() {
      return switch (kind) {
        case STRIPE -> "stripe " + index + ", found by server-" + server;
        case ROW -> "row " + row + " (stripe " + index + ", position " + position + ")" + on();
        case PARITY -> "parity of stripe " + index + " (position " + position + ")" + on();
        case NN_SHARD -> "copy of NN shard " + index + on();
      };
    }

    private String on() {
      return " on server-" + server;
    }
  }
}
