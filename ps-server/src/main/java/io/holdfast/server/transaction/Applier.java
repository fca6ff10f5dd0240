package io.holdfast.server.transaction;

import io.holdfast.config.protocol.DataRange;
import io.holdfast.config.protocol.TxHeader;
import io.holdfast.config.protocol.TxId;
import io.holdfast.server.storage.RefusedException;
import java.lang.foreign.MemorySegment;

/** Makes a committed transaction's changes: all of them within one step of the server. */
public interface Applier {
  /** A transaction is to be applied. */
  void begin(TxHeader header, long watermark);

  /**
   * Row gradients.
   *
   * @param ids int64
   * @param gradients {@code [count, dim]}
   */
  void rows(MemorySegment ids, int count, MemorySegment gradients) throws RefusedException;

  /** An NN shard's gradients. */
  void shard(int shard, MemorySegment gradients) throws RefusedException;

  /**
   * Whether the record of what a transaction learned from is still to be made here, if it is this
   * participant's to make.
   */
  default boolean records(TxId tx) {
    return true;
  }

  /**
   * Whether this is for a lost server: then a worker may have decided a transaction that is not
   * wholly staged here, since it was staged at the lost one.
   */
  default boolean isStandIn() {
    return false;
  }

  /** This server records what the transaction learned from. */
  void record(DataRange range);

  /**
   * All is applied.
   *
   * @return whether others must acknowledge before the transaction is redundant
   */
  boolean end();

  /** Whether so much waits to be acknowledged that nothing new should be staged. */
  boolean isPressed();

  /** Hears of transactions that have become redundant. */
  interface Listener {
    void redundant(TxId tx);
  }
}
