package io.holdfast.server.storage;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.agrona.collections.Long2LongHashMap;

/**
 * How many updates of each member of each stripe are folded: int32 values in two bytes each. Few
 * rows are updated more often than 65,535 times; what exceeds two bytes of theirs is kept in a map.
 * With rows of 64 bytes and k = 4 four bytes each would be a sixth of the parities' memory.
 */
final class FoldCounters implements AutoCloseable {
  private static final ValueLayout.OfShort LOW = ValueLayout.JAVA_SHORT_UNALIGNED;
  private static final int LOW_BITS = 16;
  private static final int LOW_MASK = (1 << LOW_BITS) - 1;

  private final int k;
  private final MappedMemory memory;
  private final MemorySegment low;

  /** By place and member: the bits above the low ones; only where they are not zero. */
  private final Long2LongHashMap high = new Long2LongHashMap(0);

  FoldCounters(String purpose, long places, int k) {
    this.k = k;
    memory =
        MappedMemory.zeroed(
            purpose, Math.multiplyExact(places, (long) Short.BYTES * k), MemorySettings.DEFAULT);
    low = memory.segment();
  }

  int get(long place, int member) {
    long index = place * k + member;
    int value = low.get(LOW, Short.BYTES * index) & LOW_MASK;
    return high.isEmpty() ? value : value | (int) high.get(index) << LOW_BITS;
  }

  void set(long place, int member, int value) {
    long index = place * k + member;
    memory.touch(Short.BYTES * index, Short.BYTES);
    low.set(LOW, Short.BYTES * index, (short) value);
    int above = value >>> LOW_BITS;
    if (above != 0) {
      high.put(index, above);
    } else if (!high.isEmpty()) {
      high.remove(index);
    }
  }

  /** The first member's low bits, to have them in the cache. */
  int peek(long place) {
    return low.get(LOW, Short.BYTES * place * k);
  }

  long touchedBytes() {
    return memory.touchedBytes();
  }

  long reservedBytes() {
    return low.byteSize();
  }

  @Override
  public void close() {
    memory.close();
  }
}
