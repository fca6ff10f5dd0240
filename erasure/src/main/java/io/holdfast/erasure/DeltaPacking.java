package io.holdfast.erasure;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Reference;
import java.util.Objects;
import java.util.zip.DataFormatException;

/**
 * Lossless packing of differences: floats of {@code old XOR new}, whose high bits are zero where a
 * value moved a little. Bits go through as they are, whatever floats they would make.
 *
 * <p>Floats are taken in blocks of 8. A block's width {@code w} is the number of bits of its
 * largest float as an unsigned int, 0 to 32; its 8 fields of {@code w} bits make {@code w} bytes.
 * The packed form is the widths, a byte each, then the blocks without gaps. Within a block the
 * first float has the lowest bits, and bytes are little endian. Missing floats of the last block
 * are zero. Measured against other forms: docs/decisions/0009.
 *
 * <p>Segments must be off heap. An instance has scratch memory: one thread at a time. Nothing is
 * allocated per call.
 */
public final class DeltaPacking {
  /** Floats of a block. */
  static final int BLOCK = 8;

  static final int BLOCK_BYTES = BLOCK * Float.BYTES;

  /** How far from its start the loops may read or write a packed block. */
  static final int REACH_BYTES = 40;

  /** Packed, differences must be at most so large, in percent, or it is not worth it. */
  private static final int WORTH_PERCENT = 90;

  private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;

  /** See {@link PackingLoops}. */
  private static final MemorySegment MEMORY = PackingLoops.MEMORY;

  /** Whether there are vectors that look up 64 bytes: 512 bits, on x86 with VBMI. */
  private static final boolean VECTORS =
      KernelChoice.KERNELS instanceof VectorKernels && VectorLoops.bits() == 512;

  private final boolean vectors;
  private final MemorySegment scratch = Arena.ofAuto().allocate(2L * REACH_BYTES, Long.BYTES);

  /** Addresses of one block, plain and packed. */
  private final long plain = scratch.address();

  private final long packed = plain + REACH_BYTES;

  /** With the fastest loops that this machine has. */
  public DeltaPacking() {
    this(true);
  }

  DeltaPacking(boolean vectors) {
    this.vectors = vectors && VECTORS;
  }

  /** Whether the loops use vectors; the bytes are the same. */
  boolean vectorised() {
    return vectors;
  }

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
   * @param source holds {@code floats} little-endian floats at {@code sourceOffset}, at any
   *     alignment
   * @param sourceOffset in bytes
   * @param floats how many, for instance {@code count * rowFloats}
   * @param target takes up to {@link #maxPackedBytes} bytes at {@code targetOffset}; those of them
   *     that lie behind the result may be overwritten too; must not overlap the source
   * @param targetOffset in bytes
   * @return bytes of the packed form, or -1 if they would be more than {@link #maxPackedBytes};
   *     then the target's bytes mean nothing
   * @throws IndexOutOfBoundsException if a range is outside of its segment
   */
  public int pack(
      MemorySegment source,
      long sourceOffset,
      int floats,
      MemorySegment target,
      long targetOffset) {
    long from = readable(source, sourceOffset, (long) floats * Float.BYTES);
    int limit = maxPackedBytes(floats);
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
    long bytes = blocks + PackingLoops.writeWidths(from, whole, to);
    if (whole < blocks) {
      MEMORY.asSlice(plain, BLOCK_BYTES).fill((byte) 0);
      MemorySegment.copy(
          MEMORY,
          from + (long) whole * BLOCK_BYTES,
          MEMORY,
          plain,
          (long) (floats - whole * BLOCK) * Float.BYTES);
      bytes += PackingLoops.writeWidths(plain, 1, to + whole);
    }
    if (bytes > limit) {
      return -1;
    }
    int fast = blocksBeforeReach(to, blocks, whole);
    long at = to + blocks;
    at = vectors ? PackingVectors.pack(to, fast, from, at) : PackingLoops.pack(to, fast, from, at);
    for (int block = fast; block < blocks; block++) {
      int width = MEMORY.get(BYTE, to + block);
      PackingLoops.packBlock(
          block < whole ? from + (long) block * BLOCK_BYTES : plain, width, packed);
      MemorySegment.copy(MEMORY, packed, MEMORY, at, width);
      at += width;
    }
    return (int) bytes;
  }

  /**
   * Unpacks what {@link #pack} made.
   *
   * @param source holds the packed bytes at {@code sourceOffset}; they need not be trusted
   * @param sourceOffset in bytes
   * @param packedBytes what {@link #pack} returned
   * @param target takes the floats at {@code targetOffset}; must not overlap the source
   * @param targetOffset in bytes
   * @param floats how many there must be
   * @throws DataFormatException if the bytes cannot be that many floats; the target is as it was
   * @throws IndexOutOfBoundsException if a range is outside of its segment
   */
  public void unpack(
      MemorySegment source,
      long sourceOffset,
      int packedBytes,
      MemorySegment target,
      long targetOffset,
      int floats)
      throws DataFormatException {
    long from = readable(source, sourceOffset, packedBytes);
    long to = writable(target, targetOffset, (long) floats * Float.BYTES);
    try {
      check(from, packedBytes, floats);
      unpack(from, to, floats);
    } finally {
      Reference.reachabilityFence(source);
      Reference.reachabilityFence(target);
    }
  }

  private static void check(long from, int packedBytes, int floats) throws DataFormatException {
    int blocks = blocks(floats);
    if (packedBytes < blocks) {
      throw new DataFormatException(
          "%d bytes of packed differences, but %d floats have %d widths"
              .formatted(packedBytes, floats, blocks));
    }
    long sum = 0;
    int widest = 0;
    for (int block = 0; block < blocks; block++) {
      int width = MEMORY.get(BYTE, from + block) & 0xFF;
      sum += width;
      widest = Math.max(widest, width);
    }
    if (widest > Float.SIZE) {
      throw new DataFormatException(
          "packed differences have a block of %d bits a float; floats have %d"
              .formatted(widest, Float.SIZE));
    }
    if (blocks + sum != packedBytes) {
      throw new DataFormatException(
          "%d bytes of packed differences, but the widths of %d floats make %d"
              .formatted(packedBytes, floats, blocks + sum));
    }
  }

  private void unpack(long from, long to, int floats) {
    int blocks = blocks(floats);
    int fast = blocksBeforeReach(from, blocks, floats / BLOCK);
    long at = from + blocks;
    at =
        vectors
            ? PackingVectors.unpack(from, fast, at, to)
            : PackingLoops.unpack(from, fast, at, to);
    for (int block = fast; block < blocks; block++) {
      int width = MEMORY.get(BYTE, from + block);
      MemorySegment.copy(MEMORY, at, MEMORY, packed, width);
      PackingLoops.unpackBlock(packed, width, plain);
      int bytes = Math.min(BLOCK, floats - block * BLOCK) * Float.BYTES;
      MemorySegment.copy(MEMORY, plain, MEMORY, to + (long) block * BLOCK_BYTES, bytes);
      at += width;
    }
  }

  /**
   * How many of the first {@code whole} blocks have {@link #REACH_BYTES} until the packed form
   * ends.
   */
  private static int blocksBeforeReach(long widths, int blocks, int whole) {
    int rest = 0;
    int block = blocks;
    while (block > 0 && rest < REACH_BYTES) {
      block--;
      rest += MEMORY.get(BYTE, widths + block);
    }
    return rest < REACH_BYTES ? 0 : Math.min(block + 1, whole);
  }

  private static int blocks(int floats) {
    return (int) (((long) floats + BLOCK - 1) / BLOCK);
  }

  /** The address of a range of an off-heap segment that is open to this thread. */
  private static long readable(MemorySegment segment, long offset, long bytes) {
    Objects.checkFromIndexSize(offset, bytes, segment.byteSize());
    if (!segment.isNative()) {
      throw new IllegalArgumentException("differences are packed off heap only");
    }
    if (bytes > 0) {
      // Throws if the arena is closed or belongs to another thread.
      byte _ = segment.get(BYTE, offset);
    }
    return segment.address() + offset;
  }

  private static long writable(MemorySegment segment, long offset, long bytes) {
    if (segment.isReadOnly()) {
      throw new IllegalArgumentException("the target is a read-only segment");
    }
    return readable(segment, offset, bytes);
  }
}
