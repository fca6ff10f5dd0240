package io.holdfast.server.rebuild;

import io.holdfast.config.protocol.DataRange;
import io.holdfast.config.protocol.TxHeader;
import io.holdfast.config.protocol.TxId;
import io.holdfast.server.redundancy.FoldRecords;
import io.holdfast.server.storage.RefusedException;
import io.holdfast.server.transaction.Applier;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.BooleanSupplier;

/**
 * Applies transactions at a server that has taken a lost one's place: what the lost one, or a
 * stand-in, had applied of them is skipped, by (transaction, row), (transaction, NN shard) and
 * (transaction, record) (hazards 3 and 4).
 */
final class InheritedApplier implements Applier {
  private static final ValueLayout.OfLong ID = ValueLayout.JAVA_LONG_UNALIGNED;

  private final Applier applier;
  private final FoldRecords inherited;
  private final long weightBytes;
  private final BooleanSupplier replaces;
  private TxId tx;
  private boolean skips;

  InheritedApplier(
      Applier applier, FoldRecords inherited, long weightBytes, BooleanSupplier replaces) {
    this.applier = applier;
    this.inherited = inherited;
    this.weightBytes = weightBytes;
    this.replaces = replaces;
  }

  @Override
  public void begin(TxHeader header, long watermark) {
    tx = header.tx();
    skips = inherited.knows(tx);
    applier.begin(header, watermark);
  }

  @Override
  public void rows(MemorySegment ids, int count, MemorySegment gradients) throws RefusedException {
    if (!skips) {
      applier.rows(ids, count, gradients);
      return;
    }
    // Rare: only of transactions that were on their way when the owner changed.
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment someIds = arena.allocate(Math.max(1, 8L * count), 64);
      MemorySegment some = arena.allocate(Math.max(1, weightBytes * count), 64);
      int left = 0;
      for (int i = 0; i < count; i++) {
        long row = ids.get(ID, 8L * i);
        if (!inherited.contains(tx, row)) {
          someIds.set(ID, 8L * left, row);
          MemorySegment.copy(gradients, i * weightBytes, some, left * weightBytes, weightBytes);
          left++;
        }
      }
      if (left > 0) {
        applier.rows(someIds.asSlice(0, 8L * left), left, some);
      }
    }
  }

  @Override
  public void shard(int shard, MemorySegment gradients) throws RefusedException {
    if (!skips || !inherited.containsShard(tx, shard)) {
      applier.shard(shard, gradients);
    }
  }

  @Override
  public boolean records(TxId transaction) {
    return !inherited.containsRange(transaction) && applier.records(transaction);
  }

  @Override
  public void record(DataRange range) {
    applier.record(range);
  }

  /** A worker may have decided what it had staged at stand-ins and never staged here. */
  @Override
  public boolean isStandIn() {
    return replaces.getAsBoolean();
  }

  @Override
  public boolean end() {
    return applier.end();
  }

  @Override
  public boolean isPressed() {
    return applier.isPressed();
  }
}
