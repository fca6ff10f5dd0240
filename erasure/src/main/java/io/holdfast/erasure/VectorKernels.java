package io.holdfast.erasure;

import static jdk.incubator.vector.VectorOperators.LSHR;
import static jdk.incubator.vector.VectorOperators.XOR;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * Loops of the Vector API, for native segments; heap segments go to {@link ScalarKernels}.
 *
 * <p>A byte is multiplied by a constant with two table look-ups (S. Plank, K. Greenan, E. Miller,
 * "Screaming fast Galois field arithmetic using Intel SIMD instructions", 2013), but the split
 * follows the vector: with L lanes a look-up takes the lowest log2(L) bits of its index and ignores
 * the rest, so {@code low[i] = c * i} is indexed by the byte itself, and {@code high[i] = c * (i *
 * L)}, by the byte shifted right by log2(L), with the shift done on ints: what it brings in from
 * the neighbour byte lands in the bits that are ignored or, where L * L exceeds 256, in bits on
 * which {@code high} does not depend. No mask and no byte shift are needed.
 *
 * <p>Three rules keep these loops fast, each learnt by measuring (docs/decisions/0005):
 *
 * <ul>
 *   <li>Memory is reached through one constant segment that spans the address space. Through the
 *       caller's segments the checks of bounds and liveness stay in the loop and cost a factor of
 *       2. Callers have checked the ranges before.
 *   <li>No helper method takes or returns a vector: one that C2 declines to inline makes objects of
 *       its vectors and costs a factor of 300.
 *   <li>Loop counters are ints; long ranges come in blocks.
 * </ul>
 */
final class VectorKernels implements Kernels {

  private static final VectorSpecies<Byte> BYTES =
      VectorSpecies.of(byte.class, VectorShape.forBitSize(VectorWidth.bits()));
  private static final VectorSpecies<Float> FLOATS =
      VectorSpecies.of(float.class, VectorShape.forBitSize(VectorWidth.bits()));

  /** L, the bytes of a vector. */
  private static final int LANES = BYTES.length();

  private static final int LOG_LANES = Integer.numberOfTrailingZeros(LANES);
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  /** All native memory. Its bounds, scope and class are constants to the compiler. */
  @SuppressWarnings("restricted")
  private static final MemorySegment MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

  /** {@code low} of coefficient c at {@code 2 * L * c}, then {@code high}. */
  private static final byte[] TABLES = new byte[GaloisField.SIZE * 2 * LANES];

  /** One vector of zeros, loaded in place of a target that is to be overwritten. */
  private static final long ZEROS;

  /** Ranges are cut into blocks whose length is an int. */
  private static final int BLOCK_BYTES = 1 << 30;

  static {
    for (int c = 0; c < GaloisField.SIZE; c++) {
      for (int i = 0; i < LANES; i++) {
        TABLES[2 * LANES * c + i] = (byte) GaloisField.multiply(c, i);
        TABLES[2 * LANES * c + LANES + i] = (byte) GaloisField.multiply(c, (i * LANES) & 0xFF);
      }
    }
    ZEROS = Arena.global().allocate(LANES, LANES).address();
  }

  private enum Pairwise {
    XOR,
    ADD,
    SUBTRACT
  }

  private final ScalarKernels scalar = new ScalarKernels();

  @Override
  public String name() {
    return "vector-" + BYTES.vectorBitSize();
  }

  @Override
  public void combine(
      LinearRow row,
      MemorySegment[] sources,
      long[] sourceOffsets,
      MemorySegment target,
      long targetOffset,
      long position,
      int lengthBytes) {
    int vectorBytes = areNative(sources) && target.isNative() ? lengthBytes & -LANES : 0;
    if (vectorBytes > 0) {
      long to = target.address() + targetOffset + position;
      try {
        if (row.allOnes()) {
          combineByXor(sources, sourceOffsets, to, position, vectorBytes);
        } else {
          combineByTables(row.coefficients(), sources, sourceOffsets, to, position, vectorBytes);
        }
      } finally {
        Reference.reachabilityFence(sources);
        Reference.reachabilityFence(target);
      }
    }
    if (vectorBytes < lengthBytes) {
      scalar.combine(
          row,
          sources,
          sourceOffsets,
          target,
          targetOffset,
          position + vectorBytes,
          lengthBytes - vectorBytes);
    }
  }

  /** Four sources first, then the target itself and three more at a time. */
  private static void combineByXor(
      MemorySegment[] sources, long[] sourceOffsets, long to, long position, int lengthBytes) {
    int count = sources.length;
    long a = sources[0].address() + sourceOffsets[0] + position;
    if (count == 1) {
      MemorySegment.copy(MEMORY, a, MEMORY, to, lengthBytes);
      return;
    }
    for (int i = 1; i < count; i += 3) {
      long b = sources[i].address() + sourceOffsets[i] + position;
      if (i + 1 == count) {
        xor2(a, b, to, lengthBytes);
        return;
      }
      long c = sources[i + 1].address() + sourceOffsets[i + 1] + position;
      if (i + 2 == count) {
        xor3(a, b, c, to, lengthBytes);
        return;
      }
      long d = sources[i + 2].address() + sourceOffsets[i + 2] + position;
      xor4(a, b, c, d, to, lengthBytes);
      a = to;
    }
  }

  /** Four sources at a time, then two, then one; all but the first group add to the target. */
  private static void combineByTables(
      int[] coefficients,
      MemorySegment[] sources,
      long[] sourceOffsets,
      long to,
      long position,
      int lengthBytes) {
    int count = sources.length;
    int i = 0;
    for (; i <= count - 4; i += 4) {
      multiply4(
          coefficients,
          i,
          sources[i].address() + sourceOffsets[i] + position,
          sources[i + 1].address() + sourceOffsets[i + 1] + position,
          sources[i + 2].address() + sourceOffsets[i + 2] + position,
          sources[i + 3].address() + sourceOffsets[i + 3] + position,
          to,
          lengthBytes);
    }
    if (i <= count - 2) {
      multiply2(
          coefficients,
          i,
          sources[i].address() + sourceOffsets[i] + position,
          sources[i + 1].address() + sourceOffsets[i + 1] + position,
          to,
          lengthBytes);
      i += 2;
    }
    if (i < count) {
      if (i == 0) {
        MEMORY.asSlice(to, lengthBytes).fill((byte) 0);
      }
      multiply1(
          coefficients[i], sources[i].address() + sourceOffsets[i] + position, to, lengthBytes);
    }
  }

  @Override
  public void multiplyFold(
      int coefficient,
      MemorySegment source,
      long sourceOffset,
      MemorySegment target,
      long targetOffset,
      long lengthBytes) {
    if (coefficient == 1) {
      xor(source, sourceOffset, target, targetOffset, target, targetOffset, lengthBytes);
      return;
    }
    long done = 0;
    if (source.isNative() && target.isNative()) {
      long from = source.address() + sourceOffset;
      long to = target.address() + targetOffset;
      try {
        while (lengthBytes - done >= LANES) {
          int block = vectorBlock(lengthBytes - done);
          multiply1(coefficient, from + done, to + done, block);
          done += block;
        }
      } finally {
        Reference.reachabilityFence(source);
        Reference.reachabilityFence(target);
      }
    }
    if (done < lengthBytes) {
      scalar.multiplyFold(
          coefficient,
          source,
          sourceOffset + done,
          target,
          targetOffset + done,
          lengthBytes - done);
    }
  }

  @Override
  public void xor(
      MemorySegment a,
      long aOffset,
      MemorySegment b,
      long bOffset,
      MemorySegment target,
      long targetOffset,
      long lengthBytes) {
    long done = pairwise(Pairwise.XOR, a, aOffset, b, bOffset, target, targetOffset, lengthBytes);
    if (done < lengthBytes) {
      scalar.xor(
          a, aOffset + done, b, bOffset + done, target, targetOffset + done, lengthBytes - done);
    }
  }

  @Override
  public void addFloats(
      MemorySegment a,
      long aOffset,
      MemorySegment b,
      long bOffset,
      MemorySegment target,
      long targetOffset,
      long lengthBytes) {
    long done = pairwise(Pairwise.ADD, a, aOffset, b, bOffset, target, targetOffset, lengthBytes);
    if (done < lengthBytes) {
      scalar.addFloats(
          a, aOffset + done, b, bOffset + done, target, targetOffset + done, lengthBytes - done);
    }
  }

  @Override
  public void subtractFloats(
      MemorySegment a,
      long aOffset,
      MemorySegment b,
      long bOffset,
      MemorySegment target,
      long targetOffset,
      long lengthBytes) {
    long done =
        pairwise(Pairwise.SUBTRACT, a, aOffset, b, bOffset, target, targetOffset, lengthBytes);
    if (done < lengthBytes) {
      scalar.subtractFloats(
          a, aOffset + done, b, bOffset + done, target, targetOffset + done, lengthBytes - done);
    }
  }

  /** Computes all whole vectors; returns how many bytes these are, 0 for heap segments. */
  private static long pairwise(
      Pairwise operation,
      MemorySegment a,
      long aOffset,
      MemorySegment b,
      long bOffset,
      MemorySegment target,
      long targetOffset,
      long lengthBytes) {
    if (!a.isNative() || !b.isNative() || !target.isNative()) {
      return 0;
    }
    long first = a.address() + aOffset;
    long second = b.address() + bOffset;
    long to = target.address() + targetOffset;
    long done = 0;
    try {
      while (lengthBytes - done >= LANES) {
        int block = vectorBlock(lengthBytes - done);
        switch (operation) {
          case XOR -> xor2(first + done, second + done, to + done, block);
          case ADD -> add(first + done, second + done, to + done, block);
          case SUBTRACT -> subtract(first + done, second + done, to + done, block);
        }
        done += block;
      }
    } finally {
      Reference.reachabilityFence(a);
      Reference.reachabilityFence(b);
      Reference.reachabilityFence(target);
    }
    return done;
  }

  private static boolean areNative(MemorySegment[] segments) {
    for (MemorySegment segment : segments) {
      if (!segment.isNative()) {
        return false;
      }
    }
    return true;
  }

  /** The next block of a range: whole vectors only. */
  private static int vectorBlock(long lengthBytes) {
    return (int) Math.min(lengthBytes, BLOCK_BYTES) & -LANES;
  }

  // The loops. Addresses are absolute; lengths are multiples of LANES.

  private static void xor2(long a, long b, long to, int lengthBytes) {
    for (int i = 0; i < lengthBytes; i += LANES) {
      ByteVector.fromMemorySegment(BYTES, MEMORY, a + i, ORDER)
          .lanewise(XOR, ByteVector.fromMemorySegment(BYTES, MEMORY, b + i, ORDER))
          .intoMemorySegment(MEMORY, to + i, ORDER);
    }
  }

  private static void xor3(long a, long b, long c, long to, int lengthBytes) {
    for (int i = 0; i < lengthBytes; i += LANES) {
      ByteVector.fromMemorySegment(BYTES, MEMORY, a + i, ORDER)
          .lanewise(XOR, ByteVector.fromMemorySegment(BYTES, MEMORY, b + i, ORDER))
          .lanewise(XOR, ByteVector.fromMemorySegment(BYTES, MEMORY, c + i, ORDER))
          .intoMemorySegment(MEMORY, to + i, ORDER);
    }
  }

  private static void xor4(long a, long b, long c, long d, long to, int lengthBytes) {
    for (int i = 0; i < lengthBytes; i += LANES) {
      ByteVector.fromMemorySegment(BYTES, MEMORY, a + i, ORDER)
          .lanewise(XOR, ByteVector.fromMemorySegment(BYTES, MEMORY, b + i, ORDER))
          .lanewise(XOR, ByteVector.fromMemorySegment(BYTES, MEMORY, c + i, ORDER))
          .lanewise(XOR, ByteVector.fromMemorySegment(BYTES, MEMORY, d + i, ORDER))
          .intoMemorySegment(MEMORY, to + i, ORDER);
    }
  }

  /** {@code to ^= coefficient * a}. */
  private static void multiply1(int coefficient, long a, long to, int lengthBytes) {
    ByteVector low = ByteVector.fromArray(BYTES, TABLES, 2 * LANES * coefficient);
    ByteVector high = ByteVector.fromArray(BYTES, TABLES, 2 * LANES * coefficient + LANES);
    for (int i = 0; i < lengthBytes; i += LANES) {
      ByteVector v = ByteVector.fromMemorySegment(BYTES, MEMORY, a + i, ORDER);
      ByteVector.fromMemorySegment(BYTES, MEMORY, to + i, ORDER)
          .lanewise(XOR, v.selectFrom(low))
          .lanewise(
              XOR,
              v.reinterpretAsInts().lanewise(LSHR, LOG_LANES).reinterpretAsBytes().selectFrom(high))
          .intoMemorySegment(MEMORY, to + i, ORDER);
    }
  }

  /** The sum of 2 products; overwrites the target if these are the first sources, else adds. */
  private static void multiply2(
      int[] coefficients, int first, long a, long b, long to, int lengthBytes) {
    long old = first == 0 ? ZEROS : to;
    int oldMask = first == 0 ? 0 : -1;
    int aTable = 2 * LANES * coefficients[first + 0];
    ByteVector aLow = ByteVector.fromArray(BYTES, TABLES, aTable);
    ByteVector aHigh = ByteVector.fromArray(BYTES, TABLES, aTable + LANES);
    int bTable = 2 * LANES * coefficients[first + 1];
    ByteVector bLow = ByteVector.fromArray(BYTES, TABLES, bTable);
    ByteVector bHigh = ByteVector.fromArray(BYTES, TABLES, bTable + LANES);
    for (int i = 0; i < lengthBytes; i += LANES) {
      ByteVector aV = ByteVector.fromMemorySegment(BYTES, MEMORY, a + i, ORDER);
      ByteVector bV = ByteVector.fromMemorySegment(BYTES, MEMORY, b + i, ORDER);
      ByteVector.fromMemorySegment(BYTES, MEMORY, old + (i & oldMask), ORDER)
          .lanewise(XOR, aV.selectFrom(aLow))
          .lanewise(
              XOR,
              aV.reinterpretAsInts()
                  .lanewise(LSHR, LOG_LANES)
                  .reinterpretAsBytes()
                  .selectFrom(aHigh))
          .lanewise(XOR, bV.selectFrom(bLow))
          .lanewise(
              XOR,
              bV.reinterpretAsInts()
                  .lanewise(LSHR, LOG_LANES)
                  .reinterpretAsBytes()
                  .selectFrom(bHigh))
          .intoMemorySegment(MEMORY, to + i, ORDER);
    }
  }

  /** The sum of 4 products; overwrites the target if these are the first sources, else adds. */
  private static void multiply4(
      int[] coefficients, int first, long a, long b, long c, long d, long to, int lengthBytes) {
    long old = first == 0 ? ZEROS : to;
    int oldMask = first == 0 ? 0 : -1;
    int aTable = 2 * LANES * coefficients[first + 0];
    ByteVector aLow = ByteVector.fromArray(BYTES, TABLES, aTable);
    ByteVector aHigh = ByteVector.fromArray(BYTES, TABLES, aTable + LANES);
    int bTable = 2 * LANES * coefficients[first + 1];
    ByteVector bLow = ByteVector.fromArray(BYTES, TABLES, bTable);
    ByteVector bHigh = ByteVector.fromArray(BYTES, TABLES, bTable + LANES);
    int cTable = 2 * LANES * coefficients[first + 2];
    ByteVector cLow = ByteVector.fromArray(BYTES, TABLES, cTable);
    ByteVector cHigh = ByteVector.fromArray(BYTES, TABLES, cTable + LANES);
    int dTable = 2 * LANES * coefficients[first + 3];
    ByteVector dLow = ByteVector.fromArray(BYTES, TABLES, dTable);
    ByteVector dHigh = ByteVector.fromArray(BYTES, TABLES, dTable + LANES);
    for (int i = 0; i < lengthBytes; i += LANES) {
      ByteVector aV = ByteVector.fromMemorySegment(BYTES, MEMORY, a + i, ORDER);
      ByteVector bV = ByteVector.fromMemorySegment(BYTES, MEMORY, b + i, ORDER);
      ByteVector cV = ByteVector.fromMemorySegment(BYTES, MEMORY, c + i, ORDER);
      ByteVector dV = ByteVector.fromMemorySegment(BYTES, MEMORY, d + i, ORDER);
      ByteVector.fromMemorySegment(BYTES, MEMORY, old + (i & oldMask), ORDER)
          .lanewise(XOR, aV.selectFrom(aLow))
          .lanewise(
              XOR,
              aV.reinterpretAsInts()
                  .lanewise(LSHR, LOG_LANES)
                  .reinterpretAsBytes()
                  .selectFrom(aHigh))
          .lanewise(XOR, bV.selectFrom(bLow))
          .lanewise(
              XOR,
              bV.reinterpretAsInts()
                  .lanewise(LSHR, LOG_LANES)
                  .reinterpretAsBytes()
                  .selectFrom(bHigh))
          .lanewise(XOR, cV.selectFrom(cLow))
          .lanewise(
              XOR,
              cV.reinterpretAsInts()
                  .lanewise(LSHR, LOG_LANES)
                  .reinterpretAsBytes()
                  .selectFrom(cHigh))
          .lanewise(XOR, dV.selectFrom(dLow))
          .lanewise(
              XOR,
              dV.reinterpretAsInts()
                  .lanewise(LSHR, LOG_LANES)
                  .reinterpretAsBytes()
                  .selectFrom(dHigh))
          .intoMemorySegment(MEMORY, to + i, ORDER);
    }
  }

  private static void add(long a, long b, long to, int lengthBytes) {
    for (int i = 0; i < lengthBytes; i += LANES) {
      FloatVector.fromMemorySegment(FLOATS, MEMORY, a + i, ORDER)
          .add(FloatVector.fromMemorySegment(FLOATS, MEMORY, b + i, ORDER))
          .intoMemorySegment(MEMORY, to + i, ORDER);
    }
  }

  private static void subtract(long a, long b, long to, int lengthBytes) {
    for (int i = 0; i < lengthBytes; i += LANES) {
      FloatVector.fromMemorySegment(FLOATS, MEMORY, a + i, ORDER)
          .sub(FloatVector.fromMemorySegment(FLOATS, MEMORY, b + i, ORDER))
          .intoMemorySegment(MEMORY, to + i, ORDER);
    }
  }
}
