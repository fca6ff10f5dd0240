package io.holdfast.erasure;

import static io.holdfast.erasure.DeltaPacking.BLOCK;
import static io.holdfast.erasure.DeltaPacking.BLOCK_BYTES;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * The loops of {@link DeltaPacking} with vectors of 512 bits: a block is 8 lanes of 64 bits.
 * Addresses are absolute and have been checked.
 *
 * <p>To unpack, a look-up of bytes brings those in which a field lies into its lane, then each lane
 * is shifted by where in the first byte its field begins, and masked. To pack, each lane is shifted
 * first. From 6 bits on, and at 4, a packed byte has bits of at most two fields, neighbours, so two
 * look-ups, one of even and one of odd lanes, joined by OR, make the packed bytes.
 *
 * <p>The rules of {@link VectorLoops} hold here too.
 */
final class PackingVectors {
  private static final VectorSpecies<Byte> BYTES = ByteVector.SPECIES_512;
  private static final VectorSpecies<Byte> PACKED = ByteVector.SPECIES_256;
  private static final VectorSpecies<Long> LONGS = LongVector.SPECIES_512;
  private static final VectorSpecies<Integer> INTS = IntVector.SPECIES_256;
  private static final ByteOrder ORDER = ByteOrder.LITTLE_ENDIAN;
  private static final MemorySegment MEMORY = PackingLoops.MEMORY;
  private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;

  private static final int LANES = BYTES.length();
  private static final int WIDTHS = Float.SIZE + 1;

  /** Bit w: blocks of width w are packed without vectors, for bytes of three or more fields. */
  private static final long CROWDED = 0b10_1110;

  /** The highest byte of a lane: zero, for a field with its shift has at most 39 bits. */
  private static final byte ZERO = Long.BYTES - 1;

  /** From {@code LANES * w}: where in the packed block each byte of each lane comes from. */
  private static final byte[] FIELDS = new byte[WIDTHS * LANES];

  /** From {@code LANES * w}: which byte of an even lane each byte of the packed block is. */
  private static final byte[] EVEN = new byte[WIDTHS * LANES];

  /** The same of odd lanes. */
  private static final byte[] ODD = new byte[WIDTHS * LANES];

  /** From {@code BLOCK * w}: by how much each lane is shifted. */
  private static final long[] SHIFTS = new long[WIDTHS * BLOCK];

  static {
    for (int width = 0; width < WIDTHS; width++) {
      int table = width * LANES;
      Arrays.fill(EVEN, table, table + LANES, ZERO);
      Arrays.fill(ODD, table, table + LANES, ZERO);
      for (int lane = 0; lane < BLOCK; lane++) {
        int bit = width * lane;
        SHIFTS[width * BLOCK + lane] = bit & 7;
        for (int i = 0; i < Long.BYTES; i++) {
          FIELDS[table + lane * Long.BYTES + i] = (byte) ((bit >>> 3) + i);
        }
        byte[] places = lane % 2 == 0 ? EVEN : ODD;
        for (int i = bit >>> 3; 8 * i < bit + width; i++) {
          places[table + i] = (byte) (lane * Long.BYTES + i - (bit >>> 3));
        }
      }
    }
  }

  private PackingVectors() {}

  /** Packs blocks of given widths; returns where they end. */
  static long pack(long widths, int blocks, long from, long to) {
    long at = to;
    for (int block = 0; block < blocks; block++) {
      int width = MEMORY.get(BYTE, widths + block);
      long source = from + (long) block * BLOCK_BYTES;
      if (((CROWDED >>> width) & 1) != 0) {
        PackingLoops.packBlock(source, width, at);
      } else {
        ByteVector lanes =
            ((LongVector)
                    IntVector.fromMemorySegment(INTS, MEMORY, source, ORDER)
                        .convertShape(VectorOperators.ZERO_EXTEND_I2L, LONGS, 0))
                .lanewise(VectorOperators.LSHL, LongVector.fromArray(LONGS, SHIFTS, BLOCK * width))
                .reinterpretAsBytes();
        ByteVector.fromArray(BYTES, EVEN, LANES * width)
            .selectFrom(lanes)
            .or(ByteVector.fromArray(BYTES, ODD, LANES * width).selectFrom(lanes))
            .reinterpretShape(PACKED, 0)
            .reinterpretAsBytes()
            .intoMemorySegment(MEMORY, at, ORDER);
      }
      at += width;
    }
    return at;
  }

  /** Unpacks blocks of given widths; returns where they end. */
  static long unpack(long widths, int blocks, long from, long to) {
    long at = from;
    for (int block = 0; block < blocks; block++) {
      int width = MEMORY.get(BYTE, widths + block);
      ByteVector packed =
          ByteVector.fromMemorySegment(PACKED, MEMORY, at, ORDER)
              .reinterpretShape(BYTES, 0)
              .reinterpretAsBytes();
      ((IntVector)
              ByteVector.fromArray(BYTES, FIELDS, LANES * width)
                  .selectFrom(packed)
                  .reinterpretAsLongs()
                  .lanewise(
                      VectorOperators.LSHR, LongVector.fromArray(LONGS, SHIFTS, BLOCK * width))
                  .and((1L << width) - 1)
                  .convertShape(VectorOperators.L2I, INTS, 0))
          .intoMemorySegment(MEMORY, to + (long) block * BLOCK_BYTES, ORDER);
      at += width;
    }
    return at;
  }
}
