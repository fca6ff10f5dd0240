package io.holdfast.server.redundancy;

import io.holdfast.config.protocol.MalformedFrameException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Reference;
import java.nio.ByteOrder;
import java.util.Objects;

/**
 * Lossless packing of differences: floats of {@code old XOR new}, whose high bits are zero where a
 * value moved a little. Bits go through as they are, whatever floats they would make.
 *
 * <p>Floats are taken in blocks of 8. A block of width {@code w}, the number of bits of its largest
 * float as an unsigned int, is packed into {@code w} bytes. The packed form is one byte for each
 * block, its width (0 to 32), then the blocks one after the other, without gaps. Bytes of a block:
 * if {@code w > 16} the low 16 bits of each float, then the rest of {@code w - 16} bits; else its
 * {@code w} bits. Such fields follow one another, the first float in the lowest bits, little
 * endian. Missing floats of the last block are zero. (Measured against other forms:
 * docs/decisions/0009.)
 *
 * <p>Segments must be off heap. An instance has scratch memory: one thread at a time. Nothing is
 * allocated per call.
 */
public final class DeltaPacking {
  /** Floats of a block. */
  static final int BLOCK = 8;

  private static final int BLOCK_BYTES = BLOCK * Float.BYTES;

  /** A field of 16 bits of each float. */
  private static final int HALF = 16;

  /** A block may be read or written by whole longs up to here. */
  private static final int SLACK = BLOCK_BYTES + Long.BYTES;

  /** Packed, differences must be at most so large, in percent, or it is not worth it. */
  private static final int WORTH_PERCENT = 90;

  private static final long LOW_INT = 0xFFFF_FFFFL;
  private static final long LOW_HALVES = 0x0000_FFFF_0000_FFFFL;
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /**
   * All native memory, through which ranges are reached that have been checked: through the
   * callers' segments, bounds and liveness would be checked again at every access.
   */
  @SuppressWarnings("restricted")
  private static final MemorySegment MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

  private final MemorySegment scratch = Arena.ofAuto().allocate(2L * SLACK, Long.BYTES);
  private final long plain = scratch.address();
  private final long packed = plain + SLACK;

  /**
   * The most bytes that {@link #pack} writes and returns: 90 % of the floats' bytes.
   *
   * @param floats number of floats
   */
  public static int maxPackedBytes(int floats) {
    return (int) ((long) floats * Float.BYTES * WORTH_PERCENT / 100);
  }

  /**
   * Packs differences.
   *
   * @param source holds {@code floats} floats at {@code sourceOffset}, at any alignment
   * @param sourceOffset in bytes
   * @param floats how many, for instance {@code count * rowFloats}
   * @param target takes up to {@link #maxPackedBytes} bytes at {@code targetOffset}; what of them
   *     lies behind the result is undefined afterwards; must not overlap the source
   * @param targetOffset in bytes
   * @return bytes written, or -1, with {@code target} undefined, if they would be more than {@link
   *     #maxPackedBytes}
   * @throws IndexOutOfBoundsException if a range is outside of its segment
   */
  public int pack(
      MemorySegment source,
      long sourceOffset,
      int floats,
      MemorySegment target,
      long targetOffset) {
    int limit = maxPackedBytes(floats);
    long from = address(source, sourceOffset, (long) floats * Float.BYTES);
    long to = writable(target, targetOffset, limit);
    try {
      return pack(from, floats, to, limit);
    } finally {
      Reference.reachabilityFence(source);
      Reference.reachabilityFence(target);
    }
  }

  private int pack(long from, int floats, long to, int limit) {
    int blocks = blocks(floats);
    int whole = floats / BLOCK;
    if (blocks > limit) {
      return -1;
    }
    long bytes = blocks + writeWidths(from, whole, to);
    if (whole < blocks) {
      MEMORY.asSlice(plain, BLOCK_BYTES).fill((byte) 0);
      MemorySegment.copy(
          MEMORY,
          from + (long) whole * BLOCK_BYTES,
          MEMORY,
          plain,
          (long) (floats - whole * BLOCK) * Float.BYTES);
      bytes += writeWidths(plain, 1, to + whole);
    }
    if (bytes > limit) {
      return -1;
    }
    long end = to + bytes;
    long at = to + blocks;
    int block = 0;
    for (; block < whole && at <= end - SLACK; block++) {
      int width = MEMORY.get(ValueLayout.JAVA_BYTE, to + block);
      packBlock(from + (long) block * BLOCK_BYTES, width, at);
      at += width;
    }
    for (; block < blocks; block++) {
      int width = MEMORY.get(ValueLayout.JAVA_BYTE, to + block);
      packBlock(block < whole ? from + (long) block * BLOCK_BYTES : plain, width, packed);
      MemorySegment.copy(MEMORY, packed, MEMORY, at, width);
      at += width;
    }
    return (int) bytes;
  }

  /** Writes the widths of blocks; returns their sum. */
  private static long writeWidths(long from, int blocks, long to) {
    long sum = 0;
    for (int block = 0; block < blocks; block++) {
      long at = from + (long) block * BLOCK_BYTES;
      long any =
          MEMORY.get(LONG, at)
              | MEMORY.get(LONG, at + 8)
              | MEMORY.get(LONG, at + 16)
              | MEMORY.get(LONG, at + 24);
      int width = Integer.SIZE - Integer.numberOfLeadingZeros((int) (any | (any >>> Integer.SIZE)));
      MEMORY.set(ValueLayout.JAVA_BYTE, to + block, (byte) width);
      sum += width;
    }
    return sum;
  }

  /** Packs a block; writes {@link #SLACK} bytes at most, {@code width} of which count. */
  private static void packBlock(long from, int width, long to) {
    long a = MEMORY.get(LONG, from);
    long b = MEMORY.get(LONG, from + 8);
    long c = MEMORY.get(LONG, from + 16);
    long d = MEMORY.get(LONG, from + 24);
    long at = to;
    int rest = width;
    if (width > HALF) {
      MEMORY.set(LONG, at, twoPairs(a & LOW_HALVES, b & LOW_HALVES, HALF));
      MEMORY.set(LONG, at + 8, twoPairs(c & LOW_HALVES, d & LOW_HALVES, HALF));
      a = (a >>> HALF) & LOW_HALVES;
      b = (b >>> HALF) & LOW_HALVES;
      c = (c >>> HALF) & LOW_HALVES;
      d = (d >>> HALF) & LOW_HALVES;
      at += 2 * HALF / 2;
      rest -= HALF;
    }
    // Four fields make 4 * rest bits; if rest is odd, the second half begins in the mid of a byte.
    long first = twoPairs(a, b, rest);
    long second = twoPairs(c, d, rest);
    int odd = rest & 1;
    MEMORY.set(LONG, at, first);
    MEMORY.set(LONG, at + rest / 2, (second << (4 * odd)) | ((first >>> (8 * (rest / 2))) & -odd));
  }

  /** Four fields of up to 16 bits, each in the low bits of an int, next to one another. */
  private static long twoPairs(long a, long b, int width) {
    return onePair(a, width) | (onePair(b, width) << (2 * width));
  }

  private static long onePair(long a, int width) {
    return (a & LOW_INT) | ((a >>> Integer.SIZE) << width);
  }

  /**
   * Unpacks what {@link #pack} made.
   *
   * @param source holds the packed bytes at {@code sourceOffset}; need not be trusted
   * @param sourceOffset in bytes
   * @param packedBytes what {@link #pack} returned
   * @param target takes the floats at {@code targetOffset}; must not overlap the source
   * @param targetOffset in bytes
   * @param floats how many there must be
   * @throws MalformedFrameException if the bytes cannot be that many floats; {@code target} is as
   *     it was
   * @throws IndexOutOfBoundsException if a range is outside of its segment
   */
  public void unpack(
      MemorySegment source,
      long sourceOffset,
      int packedBytes,
      MemorySegment target,
      long targetOffset,
      int floats)
      throws MalformedFrameException {
    long from = address(source, sourceOffset, packedBytes);
    long to = writable(target, targetOffset, (long) floats * Float.BYTES);
    try {
      check(from, packedBytes, floats);
      unpack(from, packedBytes, to, floats);
    } finally {
      Reference.reachabilityFence(source);
      Reference.reachabilityFence(target);
    }
  }

  private static void check(long from, int packedBytes, int floats) throws MalformedFrameException {
    int blocks = blocks(floats);
    if (packedBytes < blocks) {
      throw new MalformedFrameException(
          packedBytes
              + " bytes of packed differences, but "
              + floats
              + " floats have "
              + blocks
              + " widths");
    }
    long sum = 0;
    int widest = 0;
    for (int block = 0; block < blocks; block++) {
      int width = MEMORY.get(ValueLayout.JAVA_BYTE, from + block) & 0xFF;
      sum += width;
      widest = Math.max(widest, width);
    }
    if (widest > Float.SIZE) {
      throw new MalformedFrameException(
          "packed differences have a block of "
              + widest
              + " bits a float, more than "
              + Float.SIZE);
    }
    if (blocks + sum != packedBytes) {
      throw new MalformedFrameException(
          packedBytes + " bytes of packed differences, but their widths make " + (blocks + sum));
    }
  }

  private void unpack(long from, int packedBytes, long to, int floats) {
    int blocks = blocks(floats);
    int whole = floats / BLOCK;
    long end = from + packedBytes;
    long at = from + blocks;
    int block = 0;
    for (; block < whole && at <= end - SLACK; block++) {
      int width = MEMORY.get(ValueLayout.JAVA_BYTE, from + block);
      unpackBlock(at, width, to + (long) block * BLOCK_BYTES);
      at += width;
    }
    for (; block < blocks; block++) {
      int width = MEMORY.get(ValueLayout.JAVA_BYTE, from + block);
      MemorySegment.copy(MEMORY, at, MEMORY, packed, width);
      unpackBlock(packed, width, plain);
      int bytes = Math.min(BLOCK, floats - block * BLOCK) * Float.BYTES;
      MemorySegment.copy(MEMORY, plain, MEMORY, to + (long) block * BLOCK_BYTES, bytes);
      at += width;
    }
  }

  /** Unpacks a block; reads {@link #SLACK} bytes at most, {@code width} of which count. */
  private static void unpackBlock(long from, int width, long to) {
    if (width <= HALF) {
      long first = MEMORY.get(LONG, from);
      long second = MEMORY.get(LONG, from + width / 2) >>> (4 * (width & 1));
      MEMORY.set(LONG, to, pair(first, width));
      MEMORY.set(LONG, to + 8, pair(first >>> (2 * width), width));
      MEMORY.set(LONG, to + 16, pair(second, width));
      MEMORY.set(LONG, to + 24, pair(second >>> (2 * width), width));
      return;
    }
    int rest = width - HALF;
    long lowFirst = MEMORY.get(LONG, from);
    long lowSecond = MEMORY.get(LONG, from + 8);
    long first = MEMORY.get(LONG, from + 16);
    long second = MEMORY.get(LONG, from + 16 + rest / 2) >>> (4 * (rest & 1));
    MEMORY.set(LONG, to, pair(lowFirst, HALF) | (pair(first, rest) << HALF));
    MEMORY.set(
        LONG,
        to + 8,
        pair(lowFirst >>> (2 * HALF), HALF) | (pair(first >>> (2 * rest), rest) << HALF));
    MEMORY.set(LONG, to + 16, pair(lowSecond, HALF) | (pair(second, rest) << HALF));
    MEMORY.set(
        LONG,
        to + 24,
        pair(lowSecond >>> (2 * HALF), HALF) | (pair(second >>> (2 * rest), rest) << HALF));
  }

  /** Two fields from the lowest bits, each into the low bits of an int. */
  private static long pair(long fields, int width) {
    long mask = (1L << width) - 1;
    return (fields & mask) | (((fields >>> width) & mask) << Integer.SIZE);
  }

  private static int blocks(int floats) {
    return (int) (((long) floats + BLOCK - 1) / BLOCK);
  }

  /** The address of a range of an off-heap segment that is open to this thread. */
  private static long address(MemorySegment segment, long offset, long bytes) {
    Objects.checkFromIndexSize(offset, bytes, segment.byteSize());
    if (!segment.isNative()) {
      throw new IllegalArgumentException("differences are packed off heap only");
    }
    if (bytes > 0) {
      // Throws if the arena is closed or another thread's.
      byte _ = segment.get(ValueLayout.JAVA_BYTE, offset);
    }
    return segment.address() + offset;
  }

  private static long writable(MemorySegment segment, long offset, long bytes) {
    if (segment.isReadOnly()) {
      throw new IllegalArgumentException("the target is a read-only segment");
    }
    return address(segment, offset, bytes);
  }
}
