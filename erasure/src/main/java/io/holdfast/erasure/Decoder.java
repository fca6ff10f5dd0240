package io.holdfast.erasure;

import java.lang.foreign.MemorySegment;

/**
 * Repairs one erasure pattern of one code. Immutable, reusable, and safe for many threads at once.
 * Ranges are checked as {@link ErasureCode} says.
 */
public interface Decoder {

  /**
   * The k units that are read, by number, ascending: the surviving data units and then as many
   * parities as are needed.
   */
  int[] sources();

  /** The erased units, by number, ascending: each is computed, parities too. */
  int[] targets();

  /**
   * Computes the erased units; what the target ranges held before is overwritten.
   *
   * @param sources the units that {@link #sources()} names, in its order
   * @param sourceOffsets where each starts, bytes
   * @param targets where the units that {@link #targets()} names go, in its order
   * @param targetOffsets where each starts, bytes
   * @param lengthBytes length of every unit, or of any part of it at the same position in all
   */
  void decode(
      MemorySegment[] sources,
      long[] sourceOffsets,
      MemorySegment[] targets,
      long[] targetOffsets,
      long lengthBytes);

  /** As the long form, for units that are whole segments of equal size. */
  default void decode(MemorySegment[] sources, MemorySegment[] targets) {
    decode(
        sources,
        new long[sources.length],
        targets,
        new long[targets.length],
        Ranges.commonSizeBytes(sources, targets));
  }

  /**
   * Folds the contribution of one source, or of a difference of that source, into one target in
   * place. A target that starts as zeros and has had every source folded, in any order, is decoded;
   * so sources can be used up as they arrive, and a decoded target can follow later differences.
   *
   * @param sourceIndex index into {@link #sources()}
   * @param targetIndex index into {@link #targets()}
   */
  void foldSource(
      int sourceIndex,
      int targetIndex,
      MemorySegment source,
      long sourceOffset,
      MemorySegment target,
      long targetOffset,
      long lengthBytes);
}
