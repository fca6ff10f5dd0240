package io.holdfast.config.protocol;

import io.holdfast.config.placement.NodeId;

/**
 * A transaction: one worker's iteration. A restarted worker has another incarnation, so it cannot
 * be taken for its predecessor (hazard 1).
 *
 * @param worker who coordinates it
 * @param incarnation of that worker
 * @param sequence counts from 1 without gaps
 */
public record TxId(NodeId worker, long incarnation, long sequence) implements Comparable<TxId> {
  @Override
  public int compareTo(TxId other) {
    int byWorker = Integer.compare(worker.code(), other.worker.code());
    if (byWorker != 0) {
      return byWorker;
    }
    int byIncarnation = Long.compare(incarnation, other.incarnation);
    return byIncarnation != 0 ? byIncarnation : Long.compare(sequence, other.sequence);
  }

  @Override
  public String toString() {
    return worker + "/" + Long.toHexString(incarnation) + "#" + sequence;
  }
}
