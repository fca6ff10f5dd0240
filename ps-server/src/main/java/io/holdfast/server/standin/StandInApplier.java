package io.holdfast.server.standin;

import io.holdfast.config.placement.NodeId;
import io.holdfast.config.protocol.DataRange;
import io.holdfast.config.protocol.TxHeader;
import io.holdfast.config.protocol.TxId;
import io.holdfast.erasure.ErasureCode;
import io.holdfast.server.redundancy.FoldRecords;
import io.holdfast.server.storage.NnStore;
import io.holdfast.server.storage.ParityStore;
import io.holdfast.server.storage.RefusedException;
import io.holdfast.server.storage.RowStore;
import io.holdfast.server.transaction.Applier;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Applies a lost server's parts of transactions to its decoded rows, and folds what changes into
 * the own parities in the same step. What the lost server had applied, and has been folded here, is
 * skipped: by (transaction, row), (transaction, NN shard) and (transaction, record), since it may
 * have reached some of its holders only (hazard 3).
 */
final class StandInApplier implements Applier, AutoCloseable {
  /** Rows whose differences are held at a time. */
  private static final int BLOCK_ROWS = 1024;

  private static final ValueLayout.OfLong ID = ValueLayout.JAVA_LONG_UNALIGNED;

  private final int lost;
  private final boolean deputy;
  private final RowStore rows;
  private final NnStore nn;
  private final ParityStore parities;
  private final ErasureCode code;
  private final FoldRecords records;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment ids;
  private final MemorySegment gradients;
  private final MemorySegment differences;
  private final MemorySegment counters;
  private final long[] changed = new long[BLOCK_ROWS];
  private long followedBelow;
  private StandIn.Follower follower;
  private TxId tx;
  private long watermark;
  private float learningRate;
  private boolean skips;

  StandInApplier(
      NodeId lost,
      boolean deputy,
      RowStore rows,
      NnStore nn,
      ParityStore parities,
      ErasureCode code,
      FoldRecords records) {
    this.lost = lost.index();
    this.deputy = deputy;
    this.rows = rows;
    this.nn = nn;
    this.parities = parities;
    this.code = code;
    this.records = records;
    ids = arena.allocate((long) BLOCK_ROWS * Long.BYTES, 64);
    gradients = arena.allocate((long) BLOCK_ROWS * rows.layout().weightBytes(), 64);
    differences = arena.allocate((long) BLOCK_ROWS * rows.layout().rowBytes(), 64);
    counters = arena.allocate((long) BLOCK_ROWS * Integer.BYTES, 64);
  }

  void follow(long rowsBelow, StandIn.Follower newest) {
    followedBelow = rowsBelow;
    follower = newest;
  }

  @Override
  public void begin(TxHeader header, long newWatermark) {
    tx = header.tx();
    watermark = newWatermark;
    learningRate = header.learningRate();
    skips = records.knows(tx);
  }

  @Override
  public void rows(MemorySegment rowIds, int count, MemorySegment rowGradients)
      throws RefusedException {
    long weightBytes = rows.layout().weightBytes();
    int some = 0;
    for (int i = 0; i < count; i++) {
      long row = rowIds.get(ID, (long) i * Long.BYTES);
      if (skips && records.contains(tx, row)) {
        continue;
      }
      ids.set(ID, (long) some * Long.BYTES, row);
      MemorySegment.copy(rowGradients, i * weightBytes, gradients, some * weightBytes, weightBytes);
      some++;
      if (some == BLOCK_ROWS) {
        apply(some);
        some = 0;
      }
    }
    apply(some);
  }

  private void apply(int count) throws RefusedException {
    rows.apply(ids, count, gradients, learningRate, code, differences, counters);
    parities.fold(lost, ids, counters, differences, count);
    // For whoever acts for its owner next.
    records.rows(tx, watermark, ids, count);
    if (follower != null) {
      int known = 0;
      for (int i = 0; i < count; i++) {
        long row = ids.get(ID, (long) i * Long.BYTES);
        if (row < followedBelow) {
          changed[known++] = row;
        }
      }
      if (known > 0) {
        follower.changed(rows, changed, known);
      }
    }
  }

  @Override
  public void shard(int shard, MemorySegment shardGradients) throws RefusedException {
    if (!skips || !records.containsShard(tx, shard)) {
      nn.apply(shard, shardGradients, learningRate);
      records.shard(tx, watermark, shard);
    }
  }

  @Override
  public boolean records(TxId transaction) {
    return deputy && !records.containsRange(transaction);
  }

  @Override
  public void record(DataRange range) {
    // It is in the ledger; others who keep copies of it are lost, or this server would not act.
    records.range(tx, watermark);
  }

  @Override
  public boolean isStandIn() {
    return true;
  }

  @Override
  public boolean end() {
    return false;
  }

  @Override
  public boolean isPressed() {
    return false;
  }

  @Override
  public void close() {
    arena.close();
  }
}
