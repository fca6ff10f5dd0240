package io.holdfast.erasure;

import java.lang.foreign.MemorySegment;

/** Computes erased units as linear combinations, over GF(2^8), of k that survive. */
final class LinearDecoder implements Decoder {

  private final ErasurePattern pattern;
  private final LinearMap map;
  private final Kernels kernels;

  /**
   * @param targetsOfSources how each target depends on the sources, {@code [targets][sources]}
   */
  LinearDecoder(ErasurePattern pattern, int[][] targetsOfSources, Kernels kernels) {
    this.pattern = pattern;
    this.map = new LinearMap(targetsOfSources, kernels);
    this.kernels = kernels;
  }

  @Override
  public int[] sources() {
    return pattern.sources().clone();
  }

  @Override
  public int[] targets() {
    return pattern.targets().clone();
  }

  @Override
  public void decode(
      MemorySegment[] sources,
      long[] sourceOffsets,
      MemorySegment[] targets,
      long[] targetOffsets,
      long lengthBytes) {
    Ranges.checkLength(lengthBytes, 1);
    Ranges.checkSources(sources, sourceOffsets, pattern.sources().length, lengthBytes, "source");
    Ranges.checkTargets(targets, targetOffsets, pattern.targets().length, lengthBytes, "target");
    map.apply(sources, sourceOffsets, targets, targetOffsets, lengthBytes);
  }

  @Override
  public void foldSource(
      int sourceIndex,
      int targetIndex,
      MemorySegment source,
      long sourceOffset,
      MemorySegment target,
      long targetOffset,
      long lengthBytes) {
    Ranges.checkIndex(sourceIndex, pattern.sources().length, "source");
    Ranges.checkIndex(targetIndex, pattern.targets().length, "target");
    Ranges.checkLength(lengthBytes, 1);
    Ranges.checkSource(source, sourceOffset, lengthBytes, "source");
    Ranges.checkTarget(target, targetOffset, lengthBytes, "target");
    kernels.multiplyFold(
        map.coefficient(targetIndex, sourceIndex),
        source,
        sourceOffset,
        target,
        targetOffset,
        lengthBytes);
  }
}
