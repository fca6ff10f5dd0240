package io.holdfast.erasure;

import java.lang.foreign.MemorySegment;

/**
 * The inner loops. Callers have checked every range. All implementations make the same bytes (for
 * float sums: unless a value is NaN, whose payload is the processor's choice).
 */
interface Kernels {

  /** What these are, for reports: {@code scalar} or {@code vector-512} and the like. */
  String name();

  /** Whether rows are to have the tables of {@link CombinedLoops}. */
  default boolean combines() {
    return false;
  }

  /**
   * {@code targets[t] = sum over i of rows[t].coefficients[i] * sources[i]}, over {@code
   * lengthBytes} bytes that start {@code position} bytes after every unit's offset.
   */
  void combine(
      LinearRow[] rows,
      MemorySegment[] sources,
      long[] sourceOffsets,
      MemorySegment[] targets,
      long[] targetOffsets,
      long position,
      int lengthBytes);

  /** {@code target ^= coefficient * source}. */
  void multiplyFold(
      int coefficient,
      MemorySegment source,
      long sourceOffset,
      MemorySegment target,
      long targetOffset,
      long lengthBytes);

  /** {@code target = a ^ b}; the target may be a or b. */
  void xor(
      MemorySegment a,
      long aOffset,
      MemorySegment b,
      long bOffset,
      MemorySegment target,
      long targetOffset,
      long lengthBytes);

  /** {@code target = a + b}, floats of native byte order; the target may be a or b. */
  void addFloats(
      MemorySegment a,
      long aOffset,
      MemorySegment b,
      long bOffset,
      MemorySegment target,
      long targetOffset,
      long lengthBytes);

  /** {@code target = a - b}, floats of native byte order; the target may be a or b. */
  void subtractFloats(
      MemorySegment a,
      long aOffset,
      MemorySegment b,
      long bOffset,
      MemorySegment target,
      long targetOffset,
      long lengthBytes);
}
