package io.holdfast.erasure;

import java.lang.foreign.MemorySegment;

/**
 * A systematic erasure code: k data units and r parity units of the same length, such that any r of
 * the k + r units can be computed from the others.
 *
 * <p>Units are numbered 0 .. k-1 (data) and k .. k+r-1 (parity). A unit is a range of a segment:
 * the segment, an offset in bytes and a length in bytes; no alignment is asked for, the length must
 * be a multiple of {@link #granularityBytes()}. Any segment works; native ones take the vector
 * path. Two units of one call must not overlap unless the method says so.
 *
 * <p>Every method checks all its ranges before it writes a byte: an offset or length outside its
 * segment is an {@link IndexOutOfBoundsException}, anything else that is wrong with an argument an
 * {@link IllegalArgumentException}, a closed arena an {@link IllegalStateException}. The vector
 * path then works on bare addresses, so an arena must not be closed by another thread
 * <em>during</em> a call.
 *
 * <p>Codes are immutable and may be used by many threads at once.
 */
public interface ErasureCode {

  /** Which code this is. */
  CodeKind kind();

  /** k, the number of data units. */
  int dataUnits();

  /** r, the number of parity units, which is the number of erasures that can be repaired. */
  int parityUnits();

  /** Lengths must be a multiple of this: 1, or 4 for the float sum. */
  int granularityBytes();

  /**
   * Computes all parities; what they held before is overwritten.
   *
   * @param data k units
   * @param dataOffsets where each data unit starts, bytes
   * @param parity r units
   * @param parityOffsets where each parity unit starts, bytes
   * @param lengthBytes length of every unit
   */
  void encode(
      MemorySegment[] data,
      long[] dataOffsets,
      MemorySegment[] parity,
      long[] parityOffsets,
      long lengthBytes);

  /** As the long form, for units that are whole segments of equal size. */
  default void encode(MemorySegment[] data, MemorySegment[] parity) {
    encode(
        data,
        new long[data.length],
        parity,
        new long[parity.length],
        Ranges.commonSizeBytes(data, parity));
  }

  /**
   * Prepares the repair of one erasure pattern. Costs a matrix inversion (about k^3 steps for Reed-
   * Solomon): keep the decoder as long as the pattern lasts.
   *
   * @param erasedUnits numbers of the lost units, data and parity, in any order; at least 1, at
   *     most r
   * @throws IllegalArgumentException if there are more than r, or one is out of range or named
   *     twice
   */
  Decoder decoder(int... erasedUnits);

  /**
   * Brings a parity up to date after one data unit has changed: folds the data unit's difference
   * into it in place. Folding the differences of all changes, in any order, leaves XOR and
   * Reed-Solomon parities byte for byte as {@link #encode} would make them. The range may be any
   * part of the unit, at the same position in difference and parity.
   *
   * @param dataIndex which data unit has changed, 0 .. k-1
   * @param parityIndex which parity is updated, 0 .. r-1
   * @param difference what {@link #difference} made of the data unit's old and new bytes
   */
  void foldDifference(
      int dataIndex,
      int parityIndex,
      MemorySegment difference,
      long differenceOffset,
      MemorySegment parity,
      long parityOffset,
      long lengthBytes);

  /**
   * Computes this code's difference between two states of a data unit: {@code before XOR after} of
   * the raw bits, or for the float sum {@code after - before} of the floats. {@code difference} may
   * be the very range of {@code before} or of {@code after}.
   */
  void difference(
      MemorySegment before,
      long beforeOffset,
      MemorySegment after,
      long afterOffset,
      MemorySegment difference,
      long differenceOffset,
      long lengthBytes);

  /**
   * The inverse of {@link #difference}: moves {@code value}, in place, from the state before to the
   * state after. Exact for XOR and Reed-Solomon, rounded for the float sum.
   */
  void applyDifference(
      MemorySegment difference,
      long differenceOffset,
      MemorySegment value,
      long valueOffset,
      long lengthBytes);
}
