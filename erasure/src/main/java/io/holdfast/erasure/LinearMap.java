package io.holdfast.erasure;

import java.lang.foreign.MemorySegment;

/** A matrix over GF(2^8) applied to units: what encode and decode both are. */
final class LinearMap {

  /** All units' blocks together stay within a 32 KiB first-level cache. */
  private static final int CACHED_BYTES = 28 << 10;

  private static final int MIN_BLOCK_BYTES = 1 << 10;
  private static final int CACHE_LINE_BYTES = 64;

  /** Kernels take up to this many sources and targets in one pass. */
  private static final int SOURCES_PER_PASS = 4;

  private static final int TARGETS_PER_PASS = 2;

  /** One pass in all needs no blocks but for the kernels' int lengths. */
  private static final int SINGLE_PASS_BLOCK_BYTES = 1 << 30;

  private final LinearRow[] rows;
  private final int blockBytes;
  private final Kernels kernels;

  LinearMap(int[][] matrix, Kernels kernels) {
    this.rows = LinearRow.rowsOf(matrix, kernels);
    this.kernels = kernels;
    this.blockBytes = blockBytes(matrix[0].length, matrix.length);
  }

  private static int blockBytes(int sources, int targets) {
    if (sources <= SOURCES_PER_PASS && targets <= TARGETS_PER_PASS) {
      return SINGLE_PASS_BLOCK_BYTES;
    }
    return Math.max(MIN_BLOCK_BYTES, CACHED_BYTES / (sources + targets) & -CACHE_LINE_BYTES);
  }

  int coefficient(int row, int column) {
    return rows[row].coefficients()[column];
  }

  /**
   * Computes every target. Goes block by block, so that memory is read once: later passes find the
   * block in the first-level cache.
   */
  void apply(
      MemorySegment[] sources,
      long[] sourceOffsets,
      MemorySegment[] targets,
      long[] targetOffsets,
      long lengthBytes) {
    for (long position = 0; position < lengthBytes; position += blockBytes) {
      int block = (int) Math.min(blockBytes, lengthBytes - position);
      kernels.combine(rows, sources, sourceOffsets, targets, targetOffsets, position, block);
    }
  }
}
