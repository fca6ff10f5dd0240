package io.holdfast.erasure;

import static jdk.incubator.vector.VectorOperators.BITWISE_BLEND;
import static jdk.incubator.vector.VectorOperators.LSHR;
import static jdk.incubator.vector.VectorOperators.XOR;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * The loops of {@link VectorLoops} over four sources, for vectors of 64 bytes, with six look-ups in
 * place of eight. A look-up takes six bits of its index: one finds the product of a byte's low six
 * bits, and of the remaining two bits those of three sources fit into one index together. That
 * index is made once and serves all targets. Look-ups are what these loops wait for.
 *
 * <p>The rules of {@link VectorLoops} hold: no vector passes through a method, and so on.
 */
final class CombinedLoops {
  /** Whether the vectors are 64 bytes long. */
  static final boolean AVAILABLE = VectorLoops.LANES == 64;

  /** Sources of a group. */
  static final int GROUP = 4;

  /** Of a group: low of a, b, c, then the high bits of all three, then low and high of d. */
  static final int TABLES = 6;

  private static final VectorSpecies<Byte> BYTES = ByteVector.SPECIES_512;
  private static final int LANES = 64;
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  @SuppressWarnings("restricted")
  private static final MemorySegment MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

  private static final long ZEROS = Arena.global().allocate(LANES, LANES).address();

  private CombinedLoops() {}

  /** The tables of all whole groups of four: {@code [groups, TABLES, 64]} bytes. */
  static byte[] tables(int[] coefficients) {
    byte[] tables = new byte[coefficients.length / GROUP * TABLES * LANES];
    for (int group = 0; group < coefficients.length / GROUP; group++) {
      int first = group * GROUP;
      int at = group * TABLES * LANES;
      for (int i = 0; i < LANES; i++) {
        int high = 0;
        for (int source = 0; source < 3; source++) {
          int factor = coefficients[first + source];
          tables[at + source * LANES + i] = (byte) GaloisField.multiply(factor, i);
          high ^= GaloisField.multiply(factor, ((i >> (2 * source)) & 3) << 6);
        }
        tables[at + 3 * LANES + i] = (byte) high;
        int last = coefficients[first + 3];
        tables[at + 4 * LANES + i] = (byte) GaloisField.multiply(last, i);
        tables[at + 5 * LANES + i] = (byte) GaloisField.multiply(last, (i & 3) << 6);
      }
    }
    return tables;
  }

  /**
   * {@code to = sum of the group's products}; of any group but the first it is added to the target.
   */
  static void multiply4(
      byte[] tables, int group, long a, long b, long c, long d, long to, int lengthBytes) {
    long old = group == 0 ? ZEROS : to;
    int oldMask = group == 0 ? 0 : -1;
    int at = group * TABLES * LANES;
    ByteVector lowA = ByteVector.fromArray(BYTES, tables, at);
    ByteVector lowB = ByteVector.fromArray(BYTES, tables, at + LANES);
    ByteVector lowC = ByteVector.fromArray(BYTES, tables, at + 2 * LANES);
    ByteVector highs = ByteVector.fromArray(BYTES, tables, at + 3 * LANES);
    ByteVector lowD = ByteVector.fromArray(BYTES, tables, at + 4 * LANES);
    ByteVector highD = ByteVector.fromArray(BYTES, tables, at + 5 * LANES);
    ByteVector first = ByteVector.broadcast(BYTES, 0x03);
    ByteVector second = ByteVector.broadcast(BYTES, 0x0F);

    for (int i = 0; i < lengthBytes; i += LANES) {
      ByteVector vA = ByteVector.fromMemorySegment(BYTES, MEMORY, a + i, ORDER);
      ByteVector hA = vA.reinterpretAsInts().lanewise(LSHR, 6).reinterpretAsBytes();
      ByteVector vB = ByteVector.fromMemorySegment(BYTES, MEMORY, b + i, ORDER);
      ByteVector hB = vB.reinterpretAsInts().lanewise(LSHR, 4).reinterpretAsBytes();
      ByteVector vC = ByteVector.fromMemorySegment(BYTES, MEMORY, c + i, ORDER);
      ByteVector hC = vC.reinterpretAsInts().lanewise(LSHR, 2).reinterpretAsBytes();
      ByteVector vD = ByteVector.fromMemorySegment(BYTES, MEMORY, d + i, ORDER);
      ByteVector hD = vD.reinterpretAsInts().lanewise(LSHR, 6).reinterpretAsBytes();
      ByteVector hAB = hB.lanewise(BITWISE_BLEND, hA, first);
      ByteVector h = hC.lanewise(BITWISE_BLEND, hAB, second);
      ByteVector.fromMemorySegment(BYTES, MEMORY, old + (i & oldMask), ORDER)
          .lanewise(XOR, vA.selectFrom(lowA))
          .lanewise(XOR, vB.selectFrom(lowB))
          .lanewise(XOR, vC.selectFrom(lowC))
          .lanewise(XOR, h.selectFrom(highs))
          .lanewise(XOR, vD.selectFrom(lowD))
          .lanewise(XOR, hD.selectFrom(highD))
          .intoMemorySegment(MEMORY, to + i, ORDER);
    }
  }

  /**
   * {@link #multiply4} into {@code to}, and the plain sum of the same sources into {@code xorTo}.
   */
  static void multiply4AndXor(
      byte[] tables,
      int group,
      long a,
      long b,
      long c,
      long d,
      long to,
      long xorTo,
      int lengthBytes) {
    long old = group == 0 ? ZEROS : to;
    long xorOld = group == 0 ? ZEROS : xorTo;
    int oldMask = group == 0 ? 0 : -1;
    int at = group * TABLES * LANES;
    ByteVector lowA = ByteVector.fromArray(BYTES, tables, at);
    ByteVector lowB = ByteVector.fromArray(BYTES, tables, at + LANES);
    ByteVector lowC = ByteVector.fromArray(BYTES, tables, at + 2 * LANES);
    ByteVector highs = ByteVector.fromArray(BYTES, tables, at + 3 * LANES);
    ByteVector lowD = ByteVector.fromArray(BYTES, tables, at + 4 * LANES);
    ByteVector highD = ByteVector.fromArray(BYTES, tables, at + 5 * LANES);
    ByteVector first = ByteVector.broadcast(BYTES, 0x03);
    ByteVector second = ByteVector.broadcast(BYTES, 0x0F);

    for (int i = 0; i < lengthBytes; i += LANES) {
      ByteVector vA = ByteVector.fromMemorySegment(BYTES, MEMORY, a + i, ORDER);
      ByteVector hA = vA.reinterpretAsInts().lanewise(LSHR, 6).reinterpretAsBytes();
      ByteVector vB = ByteVector.fromMemorySegment(BYTES, MEMORY, b + i, ORDER);
      ByteVector hB = vB.reinterpretAsInts().lanewise(LSHR, 4).reinterpretAsBytes();
      ByteVector vC = ByteVector.fromMemorySegment(BYTES, MEMORY, c + i, ORDER);
      ByteVector hC = vC.reinterpretAsInts().lanewise(LSHR, 2).reinterpretAsBytes();
      ByteVector vD = ByteVector.fromMemorySegment(BYTES, MEMORY, d + i, ORDER);
      ByteVector hD = vD.reinterpretAsInts().lanewise(LSHR, 6).reinterpretAsBytes();
      ByteVector hAB = hB.lanewise(BITWISE_BLEND, hA, first);
      ByteVector h = hC.lanewise(BITWISE_BLEND, hAB, second);
      ByteVector.fromMemorySegment(BYTES, MEMORY, old + (i & oldMask), ORDER)
          .lanewise(XOR, vA.selectFrom(lowA))
          .lanewise(XOR, vB.selectFrom(lowB))
          .lanewise(XOR, vC.selectFrom(lowC))
          .lanewise(XOR, h.selectFrom(highs))
          .lanewise(XOR, vD.selectFrom(lowD))
          .lanewise(XOR, hD.selectFrom(highD))
          .intoMemorySegment(MEMORY, to + i, ORDER);
      ByteVector.fromMemorySegment(BYTES, MEMORY, xorOld + (i & oldMask), ORDER)
          .lanewise(XOR, vA)
          .lanewise(XOR, vB)
          .lanewise(XOR, vC)
          .lanewise(XOR, vD)
          .intoMemorySegment(MEMORY, xorTo + i, ORDER);
    }
  }

  /** {@link #multiply4} for two targets: {@code p} and {@code q} are their tables. */
  static void multiply4Twice(
      byte[] p,
      byte[] q,
      int group,
      long a,
      long b,
      long c,
      long d,
      long toP,
      long toQ,
      int lengthBytes) {
    long oldP = group == 0 ? ZEROS : toP;
    long oldQ = group == 0 ? ZEROS : toQ;
    int oldMask = group == 0 ? 0 : -1;
    int at = group * TABLES * LANES;
    ByteVector pLowA = ByteVector.fromArray(BYTES, p, at);
    ByteVector pLowB = ByteVector.fromArray(BYTES, p, at + LANES);
    ByteVector pLowC = ByteVector.fromArray(BYTES, p, at + 2 * LANES);
    ByteVector pHighs = ByteVector.fromArray(BYTES, p, at + 3 * LANES);
    ByteVector pLowD = ByteVector.fromArray(BYTES, p, at + 4 * LANES);
    ByteVector pHighD = ByteVector.fromArray(BYTES, p, at + 5 * LANES);
    ByteVector qLowA = ByteVector.fromArray(BYTES, q, at);
    ByteVector qLowB = ByteVector.fromArray(BYTES, q, at + LANES);
    ByteVector qLowC = ByteVector.fromArray(BYTES, q, at + 2 * LANES);
    ByteVector qHighs = ByteVector.fromArray(BYTES, q, at + 3 * LANES);
    ByteVector qLowD = ByteVector.fromArray(BYTES, q, at + 4 * LANES);
    ByteVector qHighD = ByteVector.fromArray(BYTES, q, at + 5 * LANES);
    ByteVector first = ByteVector.broadcast(BYTES, 0x03);
    ByteVector second = ByteVector.broadcast(BYTES, 0x0F);

    for (int i = 0; i < lengthBytes; i += LANES) {
      ByteVector vA = ByteVector.fromMemorySegment(BYTES, MEMORY, a + i, ORDER);
      ByteVector hA = vA.reinterpretAsInts().lanewise(LSHR, 6).reinterpretAsBytes();
      ByteVector vB = ByteVector.fromMemorySegment(BYTES, MEMORY, b + i, ORDER);
      ByteVector hB = vB.reinterpretAsInts().lanewise(LSHR, 4).reinterpretAsBytes();
      ByteVector vC = ByteVector.fromMemorySegment(BYTES, MEMORY, c + i, ORDER);
      ByteVector hC = vC.reinterpretAsInts().lanewise(LSHR, 2).reinterpretAsBytes();
      ByteVector vD = ByteVector.fromMemorySegment(BYTES, MEMORY, d + i, ORDER);
      ByteVector hD = vD.reinterpretAsInts().lanewise(LSHR, 6).reinterpretAsBytes();
      ByteVector hAB = hB.lanewise(BITWISE_BLEND, hA, first);
      ByteVector h = hC.lanewise(BITWISE_BLEND, hAB, second);
      ByteVector.fromMemorySegment(BYTES, MEMORY, oldP + (i & oldMask), ORDER)
          .lanewise(XOR, vA.selectFrom(pLowA))
          .lanewise(XOR, vB.selectFrom(pLowB))
          .lanewise(XOR, vC.selectFrom(pLowC))
          .lanewise(XOR, h.selectFrom(pHighs))
          .lanewise(XOR, vD.selectFrom(pLowD))
          .lanewise(XOR, hD.selectFrom(pHighD))
          .intoMemorySegment(MEMORY, toP + i, ORDER);
      ByteVector.fromMemorySegment(BYTES, MEMORY, oldQ + (i & oldMask), ORDER)
          .lanewise(XOR, vA.selectFrom(qLowA))
          .lanewise(XOR, vB.selectFrom(qLowB))
          .lanewise(XOR, vC.selectFrom(qLowC))
          .lanewise(XOR, h.selectFrom(qHighs))
          .lanewise(XOR, vD.selectFrom(qLowD))
          .lanewise(XOR, hD.selectFrom(qHighD))
          .intoMemorySegment(MEMORY, toQ + i, ORDER);
    }
  }
}
