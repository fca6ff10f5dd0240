package io.holdfast.server.redundancy;

import io.holdfast.config.protocol.PeerMessage;
import io.holdfast.config.transport.FramePool;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;

/**
 * Raw differences of one origin that were folded here and may be missing at another holder of the
 * same rows. When the origin dies, its holders level: who has more gives the others what they lack
 * (hazard 9). With one parity nobody else needs them. Forgotten once the origin says that all
 * holders have acknowledged.
 */
final class DeltaTail {
  private final FramePool pool;
  private final ArrayDeque<Entry> entries = new ArrayDeque<>();
  private long bytes;

  private record Entry(long ordinal, DifferenceBlock block, int count, long bytes) {}

  DeltaTail(FramePool pool) {
    this.pool = pool;
  }

  void add(PeerMessage.Deltas deltas, MemorySegment values) {
    int count = deltas.count();
    int rowBytes = (int) (values.byteSize() / count);
    DifferenceBlock block = DifferenceBlock.ofRows(pool, count, rowBytes);
    MemorySegment.copy(deltas.rows().segment(), 0, block.ids(), 0, 8L * count);
    MemorySegment.copy(deltas.counters().segment(), 0, block.counters(), 0, 4L * count);
    MemorySegment.copy(values, 0, block.values(), 0, values.byteSize());
    long size = 12L * count + values.byteSize();
    entries.add(new Entry(deltas.position().ordinal(), block, count, size));
    bytes += size;
  }

  /** All holders have what belongs to ordinals up to this one. */
  void stable(long ordinal) {
    while (!entries.isEmpty() && entries.peek().ordinal <= ordinal) {
      Entry entry = entries.remove();
      bytes -= entry.bytes;
      entry.block.release();
    }
  }

  /** The differences that are kept, in the order in which they were folded. */
  void visit(Holder.DeltaVisitor visitor, int rowBytes) {
    for (Entry entry : entries) {
      for (int i = 0; i < entry.count; i++) {
        visitor.delta(
            entry.block.ids().get(ValueLayout.JAVA_LONG_UNALIGNED, 8L * i),
            entry.block.counters().get(ValueLayout.JAVA_INT_UNALIGNED, 4L * i),
            entry.block.values().asSlice((long) i * rowBytes, rowBytes));
      }
    }
  }

  long bytes() {
    return bytes;
  }

  void close() {
    stable(Long.MAX_VALUE);
  }
}
