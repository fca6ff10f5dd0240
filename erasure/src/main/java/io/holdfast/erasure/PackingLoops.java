package io.holdfast.erasure;

import static io.holdfast.erasure.DeltaPacking.BLOCK;
import static io.holdfast.erasure.DeltaPacking.BLOCK_BYTES;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * The loops of {@link DeltaPacking} without vectors. Addresses are absolute and have been checked.
 */
final class PackingLoops {
  /**
   * All native memory. Through the callers' segments, bounds and liveness would be checked at every
   * access.
   */
  @SuppressWarnings("restricted")
  static final MemorySegment MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

  private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final long LOW_INT = 0xFFFF_FFFFL;

  private PackingLoops() {}

  /** Writes the widths of blocks; returns their sum. */
  static long writeWidths(long from, int blocks, long to) {
    long sum = 0;
    for (int block = 0; block < blocks; block++) {
      long at = from + (long) block * BLOCK_BYTES;
      long any =
          MEMORY.get(LONG, at)
              | MEMORY.get(LONG, at + 8)
              | MEMORY.get(LONG, at + 16)
              | MEMORY.get(LONG, at + 24);
      int width = Integer.SIZE - Integer.numberOfLeadingZeros((int) (any | (any >>> Integer.SIZE)));
      MEMORY.set(BYTE, to + block, (byte) width);
      sum += width;
    }
    return sum;
  }

  /** Packs blocks of given widths; returns where they end. */
  static long pack(long widths, int blocks, long from, long to) {
    long at = to;
    for (int block = 0; block < blocks; block++) {
      int width = MEMORY.get(BYTE, widths + block);
      packBlock(from + (long) block * BLOCK_BYTES, width, at);
      at += width;
    }
    return at;
  }

  /** Unpacks blocks of given widths; returns where they end. */
  static long unpack(long widths, int blocks, long from, long to) {
    long at = from;
    for (int block = 0; block < blocks; block++) {
      int width = MEMORY.get(BYTE, widths + block);
      unpackBlock(at, width, to + (long) block * BLOCK_BYTES);
      at += width;
    }
    return at;
  }

  /** Packs one block, two fields at a time; may write {@link DeltaPacking#REACH_BYTES}. */
  static void packBlock(long from, int width, long to) {
    for (int i = 0; i < BLOCK / 2; i++) {
      long floats = MEMORY.get(LONG, from + (long) i * Long.BYTES);
      long pair = (floats & LOW_INT) | ((floats >>> Integer.SIZE) << width);
      int bit = 2 * width * i;
      int shift = bit & 7;
      long at = to + (bit >>> 3);
      // The byte in which the pair before ended.
      long begun = MEMORY.get(BYTE, at) & ((1L << shift) - 1);
      MEMORY.set(LONG, at, (pair << shift) | begun);
      MEMORY.set(LONG, at + Long.BYTES, beyond(pair, shift));
    }
  }

  /** The bits of {@code pair << shift} beyond the 64th. */
  private static long beyond(long pair, int shift) {
    return (pair >>> 1) >>> (Long.SIZE - 1 - shift);
  }

  /** Unpacks one block; may read {@link DeltaPacking#REACH_BYTES}. */
  static void unpackBlock(long from, int width, long to) {
    long mask = (1L << width) - 1;
    for (int i = 0; i < BLOCK / 2; i++) {
      int bit = 2 * width * i;
      int shift = bit & 7;
      long at = from + (bit >>> 3);
      long pair =
          (MEMORY.get(LONG, at) >>> shift)
              | ((MEMORY.get(LONG, at + Long.BYTES) << 1) << (Long.SIZE - 1 - shift));
      MEMORY.set(
          LONG,
          to + (long) i * Long.BYTES,
          (pair & mask) | (((pair >>> width) & mask) << Integer.SIZE));
    }
  }
}
