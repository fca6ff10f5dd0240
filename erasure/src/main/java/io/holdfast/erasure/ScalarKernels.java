package io.holdfast.erasure;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.MemorySegment;

/**
 * Loops without the Vector API: for any segment, for machines without vectors, and for the last
 * bytes of a vector loop.
 *
 * <p>Eight bytes are multiplied at once inside a long: bit b of each byte, moved to bit 0 and
 * multiplied by the byte {@code coefficient * 2^b}, adds that byte where the bit is set; no product
 * exceeds its byte.
 */
final class ScalarKernels implements Kernels {

  private static final long LOW_BITS = 0x0101010101010101L;

  /** {@code PRODUCTS[8 * c + b] = c * 2^b}. */
  private static final long[] PRODUCTS = new long[GaloisField.SIZE * 8];

  static {
    for (int i = 0; i < PRODUCTS.length; i++) {
      PRODUCTS[i] = GaloisField.multiply(i / 8, 1 << (i % 8));
    }
  }

  @Override
  public String name() {
    return "scalar";
  }

  @Override
  public void combine(
      LinearRow[] rows,
      MemorySegment[] sources,
      long[] sourceOffsets,
      MemorySegment[] targets,
      long[] targetOffsets,
      long position,
      int lengthBytes) {
    for (int t = 0; t < rows.length; t++) {
      MemorySegment target = targets[t];
      long to = targetOffsets[t] + position;
      target.asSlice(to, lengthBytes).fill((byte) 0);
      for (int i = 0; i < sources.length; i++) {
        multiplyFold(
            rows[t].coefficients()[i],
            sources[i],
            sourceOffsets[i] + position,
            target,
            to,
            lengthBytes);
      }
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
    int p = 8 * coefficient;
    long p0 = PRODUCTS[p];
    long p1 = PRODUCTS[p + 1];
    long p2 = PRODUCTS[p + 2];
    long p3 = PRODUCTS[p + 3];
    long p4 = PRODUCTS[p + 4];
    long p5 = PRODUCTS[p + 5];
    long p6 = PRODUCTS[p + 6];
    long p7 = PRODUCTS[p + 7];
    long i = 0;
    for (; i <= lengthBytes - 8; i += 8) {
      long x = source.get(JAVA_LONG_UNALIGNED, sourceOffset + i);
      long product =
          ((x & LOW_BITS) * p0)
              ^ (((x >>> 1) & LOW_BITS) * p1)
              ^ (((x >>> 2) & LOW_BITS) * p2)
              ^ (((x >>> 3) & LOW_BITS) * p3)
              ^ (((x >>> 4) & LOW_BITS) * p4)
              ^ (((x >>> 5) & LOW_BITS) * p5)
              ^ (((x >>> 6) & LOW_BITS) * p6)
              ^ (((x >>> 7) & LOW_BITS) * p7);
      target.set(
          JAVA_LONG_UNALIGNED,
          targetOffset + i,
          target.get(JAVA_LONG_UNALIGNED, targetOffset + i) ^ product);
    }
    for (; i < lengthBytes; i++) {
      int product =
          GaloisField.multiply(coefficient, source.get(JAVA_BYTE, sourceOffset + i) & 0xFF);
      target.set(
          JAVA_BYTE, targetOffset + i, (byte) (target.get(JAVA_BYTE, targetOffset + i) ^ product));
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
    long i = 0;
    for (; i <= lengthBytes - 8; i += 8) {
      target.set(
          JAVA_LONG_UNALIGNED,
          targetOffset + i,
          a.get(JAVA_LONG_UNALIGNED, aOffset + i) ^ b.get(JAVA_LONG_UNALIGNED, bOffset + i));
    }
    for (; i < lengthBytes; i++) {
      target.set(
          JAVA_BYTE,
          targetOffset + i,
          (byte) (a.get(JAVA_BYTE, aOffset + i) ^ b.get(JAVA_BYTE, bOffset + i)));
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
    for (long i = 0; i < lengthBytes; i += 4) {
      target.set(
          JAVA_FLOAT_UNALIGNED,
          targetOffset + i,
          a.get(JAVA_FLOAT_UNALIGNED, aOffset + i) + b.get(JAVA_FLOAT_UNALIGNED, bOffset + i));
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
    for (long i = 0; i < lengthBytes; i += 4) {
      target.set(
          JAVA_FLOAT_UNALIGNED,
          targetOffset + i,
          a.get(JAVA_FLOAT_UNALIGNED, aOffset + i) - b.get(JAVA_FLOAT_UNALIGNED, bOffset + i));
    }
  }
}
