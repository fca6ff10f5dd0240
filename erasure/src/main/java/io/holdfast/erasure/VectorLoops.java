package io.holdfast.erasure;

import static jdk.incubator.vector.VectorOperators.LSHR;
import static jdk.incubator.vector.VectorOperators.XOR;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * The loops of {@link VectorKernels}. Addresses are absolute and have been checked by the caller;
 * lengths are multiples of {@link #LANES}; a target may be one of the sources, but must not overlap
 * one otherwise.
 *
 * <p>A byte is multiplied by a constant with two table look-ups (J. Plank, K. Greenan, E. Miller,
 * "Screaming fast Galois field arithmetic using Intel SIMD instructions", 2013), but the split
 * follows the vector. With L lanes a look-up takes the lowest log2(L) bits of its index and ignores
 * the rest. So {@code low[i] = c * i} is indexed by the byte itself, and {@code high[i] = c * (i *
 * L mod 256)} by the byte shifted right by log2(L). The shift is done on ints: what it brings in
 * from the neighbour byte lands in bits that are ignored or, where L * L exceeds 256, on which
 * {@code high} does not depend. No mask and no shift of bytes, for which there is no instruction,
 * are needed.
 *
 * <p>Three rules keep these loops fast, each learnt by measuring (docs/decisions/0005):
 *
 * <ul>
 *   <li>Memory is reached through one constant segment that spans the address space. Through the
 *       callers' segments the checks of bounds and liveness stay in the loop and cost a factor of
 *       2.
 *   <li>No helper method takes or returns a vector: one that C2 declines to inline makes objects of
 *       its vectors and costs a factor of 300. Hence the repetition.
 *   <li>Loop counters are ints.
 * </ul>
 */
final class VectorLoops {

  private static final VectorSpecies<Byte> BYTES =
      VectorSpecies.of(byte.class, VectorShape.forBitSize(VectorWidth.bits()));
  private static final VectorSpecies<Float> FLOATS =
      VectorSpecies.of(float.class, VectorShape.forBitSize(VectorWidth.bits()));

  /** L, the bytes of a vector. */
  static final int LANES = BYTES.length();

  private static final int LOG_LANES = Integer.numberOfTrailingZeros(LANES);
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  /** All native memory. Its bounds, scope and class are constants to the compiler. */
  @SuppressWarnings("restricted")
  private static final MemorySegment MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

  /** {@code low} of coefficient c at {@code 2 * L * c}, then {@code high}. */
  private static final byte[] TABLES = new byte[GaloisField.SIZE * 2 * LANES];

  /** One vector of zeros, loaded in place of a target that is to be overwritten. */
  private static final long ZEROS = Arena.global().allocate(LANES, LANES).address();

  static {
    for (int c = 0; c < GaloisField.SIZE; c++) {
      for (int i = 0; i < LANES; i++) {
        TABLES[2 * LANES * c + i] = (byte) GaloisField.multiply(c, i);
        TABLES[2 * LANES * c + LANES + i] = (byte) GaloisField.multiply(c, (i * LANES) & 0xFF);
      }
    }
  }

  private VectorLoops() {}

  static int bits() {
    return BYTES.vectorBitSize();
  }

  /** {@code to = a}. */
  static void copy(long a, long to, int lengthBytes) {
    MemorySegment.copy(MEMORY, a, MEMORY, to, lengthBytes);
  }

  /** {@code to = 0}. */
  static void clear(long to, int lengthBytes) {
    MEMORY.asSlice(to, lengthBytes).fill((byte) 0);
  }

  /** {@code to = a ^ b}. */
  static void xor2(long a, long b, long to, int lengthBytes) {
    for (int i = 0; i < lengthBytes; i += LANES) {
      ByteVector.fromMemorySegment(BYTES, MEMORY, a + i, ORDER)
          .lanewise(XOR, ByteVector.fromMemorySegment(BYTES, MEMORY, b + i, ORDER))
          .intoMemorySegment(MEMORY, to + i, ORDER);
    }
  }

  /** {@code to = a ^ b ^ c}. */
  static void xor3(long a, long b, long c, long to, int lengthBytes) {
    for (int i = 0; i < lengthBytes; i += LANES) {
      ByteVector.fromMemorySegment(BYTES, MEMORY, a + i, ORDER)
          .lanewise(XOR, ByteVector.fromMemorySegment(BYTES, MEMORY, b + i, ORDER))
          .lanewise(XOR, ByteVector.fromMemorySegment(BYTES, MEMORY, c + i, ORDER))
          .intoMemorySegment(MEMORY, to + i, ORDER);
    }
  }

  /** {@code to = a ^ b ^ c ^ d}. */
  static void xor4(long a, long b, long c, long d, long to, int lengthBytes) {
    for (int i = 0; i < lengthBytes; i += LANES) {
      ByteVector.fromMemorySegment(BYTES, MEMORY, a + i, ORDER)
          .lanewise(XOR, ByteVector.fromMemorySegment(BYTES, MEMORY, b + i, ORDER))
          .lanewise(XOR, ByteVector.fromMemorySegment(BYTES, MEMORY, c + i, ORDER))
          .lanewise(XOR, ByteVector.fromMemorySegment(BYTES, MEMORY, d + i, ORDER))
          .intoMemorySegment(MEMORY, to + i, ORDER);
    }
  }

  /** {@code to ^= coefficient * a}. */
  static void multiply1(int coefficient, long a, long to, int lengthBytes) {
    int table = 2 * LANES * coefficient;
    ByteVector low = ByteVector.fromArray(BYTES, TABLES, table);
    ByteVector high = ByteVector.fromArray(BYTES, TABLES, table + LANES);
    for (int i = 0; i < lengthBytes; i += LANES) {
      ByteVector v = ByteVector.fromMemorySegment(BYTES, MEMORY, a + i, ORDER);
      ByteVector h = v.reinterpretAsInts().lanewise(LSHR, LOG_LANES).reinterpretAsBytes();
      ByteVector.fromMemorySegment(BYTES, MEMORY, to + i, ORDER)
          .lanewise(XOR, v.selectFrom(low))
          .lanewise(XOR, h.selectFrom(high))
          .intoMemorySegment(MEMORY, to + i, ORDER);
    }
  }

  /**
   * {@code to = sum of coefficients[first + j] * (the j-th source)}; if {@code first} is not 0,
   * these are not the first sources and the sum is added to the target instead.
   */
  static void multiply2(int[] coefficients, int first, long a, long b, long to, int lengthBytes) {
    long old = first == 0 ? ZEROS : to;
    int oldMask = first == 0 ? 0 : -1;
    int tableA = 2 * LANES * coefficients[first];
    ByteVector lowA = ByteVector.fromArray(BYTES, TABLES, tableA);
    ByteVector highA = ByteVector.fromArray(BYTES, TABLES, tableA + LANES);
    int tableB = 2 * LANES * coefficients[first + 1];
    ByteVector lowB = ByteVector.fromArray(BYTES, TABLES, tableB);
    ByteVector highB = ByteVector.fromArray(BYTES, TABLES, tableB + LANES);

    for (int i = 0; i < lengthBytes; i += LANES) {
      ByteVector vA = ByteVector.fromMemorySegment(BYTES, MEMORY, a + i, ORDER);
      ByteVector hA = vA.reinterpretAsInts().lanewise(LSHR, LOG_LANES).reinterpretAsBytes();
      ByteVector vB = ByteVector.fromMemorySegment(BYTES, MEMORY, b + i, ORDER);
      ByteVector hB = vB.reinterpretAsInts().lanewise(LSHR, LOG_LANES).reinterpretAsBytes();
      ByteVector.fromMemorySegment(BYTES, MEMORY, old + (i & oldMask), ORDER)
          .lanewise(XOR, vA.selectFrom(lowA))
          .lanewise(XOR, hA.selectFrom(highA))
          .lanewise(XOR, vB.selectFrom(lowB))
          .lanewise(XOR, hB.selectFrom(highB))
          .intoMemorySegment(MEMORY, to + i, ORDER);
    }
  }

  /**
   * {@code to = sum of coefficients[first + j] * (the j-th source)}; if {@code first} is not 0,
   * these are not the first sources and the sum is added to the target instead.
   */
  static void multiply4(
      int[] coefficients, int first, long a, long b, long c, long d, long to, int lengthBytes) {
    long old = first == 0 ? ZEROS : to;
    int oldMask = first == 0 ? 0 : -1;
    int tableA = 2 * LANES * coefficients[first];
    ByteVector lowA = ByteVector.fromArray(BYTES, TABLES, tableA);
    ByteVector highA = ByteVector.fromArray(BYTES, TABLES, tableA + LANES);
    int tableB = 2 * LANES * coefficients[first + 1];
    ByteVector lowB = ByteVector.fromArray(BYTES, TABLES, tableB);
    ByteVector highB = ByteVector.fromArray(BYTES, TABLES, tableB + LANES);
    int tableC = 2 * LANES * coefficients[first + 2];
    ByteVector lowC = ByteVector.fromArray(BYTES, TABLES, tableC);
    ByteVector highC = ByteVector.fromArray(BYTES, TABLES, tableC + LANES);
    int tableD = 2 * LANES * coefficients[first + 3];
    ByteVector lowD = ByteVector.fromArray(BYTES, TABLES, tableD);
    ByteVector highD = ByteVector.fromArray(BYTES, TABLES, tableD + LANES);

    for (int i = 0; i < lengthBytes; i += LANES) {
      ByteVector vA = ByteVector.fromMemorySegment(BYTES, MEMORY, a + i, ORDER);
      ByteVector hA = vA.reinterpretAsInts().lanewise(LSHR, LOG_LANES).reinterpretAsBytes();
      ByteVector vB = ByteVector.fromMemorySegment(BYTES, MEMORY, b + i, ORDER);
      ByteVector hB = vB.reinterpretAsInts().lanewise(LSHR, LOG_LANES).reinterpretAsBytes();
      ByteVector vC = ByteVector.fromMemorySegment(BYTES, MEMORY, c + i, ORDER);
      ByteVector hC = vC.reinterpretAsInts().lanewise(LSHR, LOG_LANES).reinterpretAsBytes();
      ByteVector vD = ByteVector.fromMemorySegment(BYTES, MEMORY, d + i, ORDER);
      ByteVector hD = vD.reinterpretAsInts().lanewise(LSHR, LOG_LANES).reinterpretAsBytes();
      ByteVector.fromMemorySegment(BYTES, MEMORY, old + (i & oldMask), ORDER)
          .lanewise(XOR, vA.selectFrom(lowA))
          .lanewise(XOR, hA.selectFrom(highA))
          .lanewise(XOR, vB.selectFrom(lowB))
          .lanewise(XOR, hB.selectFrom(highB))
          .lanewise(XOR, vC.selectFrom(lowC))
          .lanewise(XOR, hC.selectFrom(highC))
          .lanewise(XOR, vD.selectFrom(lowD))
          .lanewise(XOR, hD.selectFrom(highD))
          .intoMemorySegment(MEMORY, to + i, ORDER);
    }
  }

  /**
   * {@link #multiply4} into {@code to}, and the plain sum of the same sources into {@code xorTo}.
   */
  static void multiply4AndXor(
      int[] coefficients,
      int first,
      long a,
      long b,
      long c,
      long d,
      long to,
      long xorTo,
      int lengthBytes) {
    long old = first == 0 ? ZEROS : to;
    long xorOld = first == 0 ? ZEROS : xorTo;
    int oldMask = first == 0 ? 0 : -1;
    int tableA = 2 * LANES * coefficients[first];
    ByteVector lowA = ByteVector.fromArray(BYTES, TABLES, tableA);
    ByteVector highA = ByteVector.fromArray(BYTES, TABLES, tableA + LANES);
    int tableB = 2 * LANES * coefficients[first + 1];
    ByteVector lowB = ByteVector.fromArray(BYTES, TABLES, tableB);
    ByteVector highB = ByteVector.fromArray(BYTES, TABLES, tableB + LANES);
    int tableC = 2 * LANES * coefficients[first + 2];
    ByteVector lowC = ByteVector.fromArray(BYTES, TABLES, tableC);
    ByteVector highC = ByteVector.fromArray(BYTES, TABLES, tableC + LANES);
    int tableD = 2 * LANES * coefficients[first + 3];
    ByteVector lowD = ByteVector.fromArray(BYTES, TABLES, tableD);
    ByteVector highD = ByteVector.fromArray(BYTES, TABLES, tableD + LANES);

    for (int i = 0; i < lengthBytes; i += LANES) {
      ByteVector vA = ByteVector.fromMemorySegment(BYTES, MEMORY, a + i, ORDER);
      ByteVector hA = vA.reinterpretAsInts().lanewise(LSHR, LOG_LANES).reinterpretAsBytes();
      ByteVector vB = ByteVector.fromMemorySegment(BYTES, MEMORY, b + i, ORDER);
      ByteVector hB = vB.reinterpretAsInts().lanewise(LSHR, LOG_LANES).reinterpretAsBytes();
      ByteVector vC = ByteVector.fromMemorySegment(BYTES, MEMORY, c + i, ORDER);
      ByteVector hC = vC.reinterpretAsInts().lanewise(LSHR, LOG_LANES).reinterpretAsBytes();
      ByteVector vD = ByteVector.fromMemorySegment(BYTES, MEMORY, d + i, ORDER);
      ByteVector hD = vD.reinterpretAsInts().lanewise(LSHR, LOG_LANES).reinterpretAsBytes();
      ByteVector.fromMemorySegment(BYTES, MEMORY, old + (i & oldMask), ORDER)
          .lanewise(XOR, vA.selectFrom(lowA))
          .lanewise(XOR, hA.selectFrom(highA))
          .lanewise(XOR, vB.selectFrom(lowB))
          .lanewise(XOR, hB.selectFrom(highB))
          .lanewise(XOR, vC.selectFrom(lowC))
          .lanewise(XOR, hC.selectFrom(highC))
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

  /** {@link #multiply4} for two targets: {@code p} and {@code q} are their coefficients. */
  static void multiply4Twice(
      int[] p,
      int[] q,
      int first,
      long a,
      long b,
      long c,
      long d,
      long toP,
      long toQ,
      int lengthBytes) {
    long oldP = first == 0 ? ZEROS : toP;
    long oldQ = first == 0 ? ZEROS : toQ;
    int oldMask = first == 0 ? 0 : -1;
    int pTableA = 2 * LANES * p[first];
    ByteVector pLowA = ByteVector.fromArray(BYTES, TABLES, pTableA);
    ByteVector pHighA = ByteVector.fromArray(BYTES, TABLES, pTableA + LANES);
    int pTableB = 2 * LANES * p[first + 1];
    ByteVector pLowB = ByteVector.fromArray(BYTES, TABLES, pTableB);
    ByteVector pHighB = ByteVector.fromArray(BYTES, TABLES, pTableB + LANES);
    int pTableC = 2 * LANES * p[first + 2];
    ByteVector pLowC = ByteVector.fromArray(BYTES, TABLES, pTableC);
    ByteVector pHighC = ByteVector.fromArray(BYTES, TABLES, pTableC + LANES);
    int pTableD = 2 * LANES * p[first + 3];
    ByteVector pLowD = ByteVector.fromArray(BYTES, TABLES, pTableD);
    ByteVector pHighD = ByteVector.fromArray(BYTES, TABLES, pTableD + LANES);
    int qTableA = 2 * LANES * q[first];
    ByteVector qLowA = ByteVector.fromArray(BYTES, TABLES, qTableA);
    ByteVector qHighA = ByteVector.fromArray(BYTES, TABLES, qTableA + LANES);
    int qTableB = 2 * LANES * q[first + 1];
    ByteVector qLowB = ByteVector.fromArray(BYTES, TABLES, qTableB);
    ByteVector qHighB = ByteVector.fromArray(BYTES, TABLES, qTableB + LANES);
    int qTableC = 2 * LANES * q[first + 2];
    ByteVector qLowC = ByteVector.fromArray(BYTES, TABLES, qTableC);
    ByteVector qHighC = ByteVector.fromArray(BYTES, TABLES, qTableC + LANES);
    int qTableD = 2 * LANES * q[first + 3];
    ByteVector qLowD = ByteVector.fromArray(BYTES, TABLES, qTableD);
    ByteVector qHighD = ByteVector.fromArray(BYTES, TABLES, qTableD + LANES);

    for (int i = 0; i < lengthBytes; i += LANES) {
      ByteVector vA = ByteVector.fromMemorySegment(BYTES, MEMORY, a + i, ORDER);
      ByteVector hA = vA.reinterpretAsInts().lanewise(LSHR, LOG_LANES).reinterpretAsBytes();
      ByteVector vB = ByteVector.fromMemorySegment(BYTES, MEMORY, b + i, ORDER);
      ByteVector hB = vB.reinterpretAsInts().lanewise(LSHR, LOG_LANES).reinterpretAsBytes();
      ByteVector vC = ByteVector.fromMemorySegment(BYTES, MEMORY, c + i, ORDER);
      ByteVector hC = vC.reinterpretAsInts().lanewise(LSHR, LOG_LANES).reinterpretAsBytes();
      ByteVector vD = ByteVector.fromMemorySegment(BYTES, MEMORY, d + i, ORDER);
      ByteVector hD = vD.reinterpretAsInts().lanewise(LSHR, LOG_LANES).reinterpretAsBytes();
      ByteVector.fromMemorySegment(BYTES, MEMORY, oldP + (i & oldMask), ORDER)
          .lanewise(XOR, vA.selectFrom(pLowA))
          .lanewise(XOR, hA.selectFrom(pHighA))
          .lanewise(XOR, vB.selectFrom(pLowB))
          .lanewise(XOR, hB.selectFrom(pHighB))
          .lanewise(XOR, vC.selectFrom(pLowC))
          .lanewise(XOR, hC.selectFrom(pHighC))
          .lanewise(XOR, vD.selectFrom(pLowD))
          .lanewise(XOR, hD.selectFrom(pHighD))
          .intoMemorySegment(MEMORY, toP + i, ORDER);
      ByteVector.fromMemorySegment(BYTES, MEMORY, oldQ + (i & oldMask), ORDER)
          .lanewise(XOR, vA.selectFrom(qLowA))
          .lanewise(XOR, hA.selectFrom(qHighA))
          .lanewise(XOR, vB.selectFrom(qLowB))
          .lanewise(XOR, hB.selectFrom(qHighB))
          .lanewise(XOR, vC.selectFrom(qLowC))
          .lanewise(XOR, hC.selectFrom(qHighC))
          .lanewise(XOR, vD.selectFrom(qLowD))
          .lanewise(XOR, hD.selectFrom(qHighD))
          .intoMemorySegment(MEMORY, toQ + i, ORDER);
    }
  }

  /** {@code to = a + b}, floats. */
  static void add(long a, long b, long to, int lengthBytes) {
    for (int i = 0; i < lengthBytes; i += LANES) {
      FloatVector.fromMemorySegment(FLOATS, MEMORY, a + i, ORDER)
          .add(FloatVector.fromMemorySegment(FLOATS, MEMORY, b + i, ORDER))
          .intoMemorySegment(MEMORY, to + i, ORDER);
    }
  }

  /** {@code to = a - b}, floats. */
  static void subtract(long a, long b, long to, int lengthBytes) {
    for (int i = 0; i < lengthBytes; i += LANES) {
      FloatVector.fromMemorySegment(FLOATS, MEMORY, a + i, ORDER)
          .sub(FloatVector.fromMemorySegment(FLOATS, MEMORY, b + i, ORDER))
          .intoMemorySegment(MEMORY, to + i, ORDER);
    }
  }
}
