package io.holdfast.worker.dense;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * The pairwise dot products of a sample's vectors {@code T[slots][dim]} (Naumov et al. 2019,
 * section 2.3), and their gradient. Pairs are ordered as the rows of the strictly lower triangle of
 * {@code T T'}: (1,0), (2,0), (2,1), (3,0), ...
 *
 * <p>Forward, lanes are pairs (i, j), (i, j+1), ...: with {@code T} transposed no sum runs across
 * lanes, so each dot product is summed in the order of its elements. Holds scratch memory: one
 * object for each thread.
 */
final class DotInteraction {
  private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
  private static final int LANES = SPECIES.length();
  private static final int TILE_ROWS = 4;

  private final int slots;
  private final int dim;

  /** Slots rounded up to whole tiles. */
  private final int stride;

  /** {@code T} transposed: {@code [dim][stride]}; the padding is zero. */
  private final float[] transposed;

  /** Products of all pairs, {@code [stride][stride]}; the upper triangle may be unset. */
  private final float[] pairs;

  /** Gradients of all pairs, {@code [stride][stride]}: symmetric, diagonal and padding zero. */
  private final float[] pairGradients;

  DotInteraction(int slots, int dim) {
    this.slots = slots;
    this.dim = dim;
    int tile = Math.max(TILE_ROWS, 2 * LANES);
    this.stride = (slots + tile - 1) / tile * tile;
    this.transposed = new float[dim * stride];
    this.pairs = new float[stride * stride];
    this.pairGradients = new float[stride * stride];
  }

  /**
   * Dot products of one sample.
   *
   * @param features holds {@code T} from {@code start} on
   * @param target receives {@code slots * (slots - 1) / 2} floats from {@code targetStart} on
   */
  void forward(MemorySegment features, long start, MemorySegment target, long targetStart) {
    for (int slot = 0; slot < slots; slot++) {
      long row = start + (long) slot * dim;
      for (int d = 0; d < dim; d++) {
        transposed[d * stride + slot] = features.getAtIndex(ValueLayout.JAVA_FLOAT, row + d);
      }
    }
    for (int i = 0; i < slots; i += TILE_ROWS) {
      int lastRow = Math.min(i + TILE_ROWS, slots) - 1;
      for (int j = 0; j < lastRow; j += 2 * LANES) {
        forwardTile(i, j);
      }
    }
    long at = targetStart;
    for (int i = 1; i < slots; i++) {
      MemorySegment.copy(pairs, i * stride, target, ValueLayout.JAVA_FLOAT, at * Float.BYTES, i);
      at += i;
    }
  }

  private void forwardTile(int i, int j) {
    FloatVector s00 = FloatVector.zero(SPECIES);
    FloatVector s01 = s00;
    FloatVector s10 = s00;
    FloatVector s11 = s00;
    FloatVector s20 = s00;
    FloatVector s21 = s00;
    FloatVector s30 = s00;
    FloatVector s31 = s00;
    float[] t = transposed;
    for (int at = 0; at < dim * stride; at += stride) {
      FloatVector left = FloatVector.fromArray(SPECIES, t, at + j);
      FloatVector right = FloatVector.fromArray(SPECIES, t, at + j + LANES);
      FloatVector r = FloatVector.broadcast(SPECIES, t[at + i]);
      s00 = left.fma(r, s00);
      s01 = right.fma(r, s01);
      r = FloatVector.broadcast(SPECIES, t[at + i + 1]);
      s10 = left.fma(r, s10);
      s11 = right.fma(r, s11);
      r = FloatVector.broadcast(SPECIES, t[at + i + 2]);
      s20 = left.fma(r, s20);
      s21 = right.fma(r, s21);
      r = FloatVector.broadcast(SPECIES, t[at + i + 3]);
      s30 = left.fma(r, s30);
      s31 = right.fma(r, s31);
    }
    int out = i * stride + j;
    s00.intoArray(pairs, out);
    s01.intoArray(pairs, out + LANES);
    s10.intoArray(pairs, out + stride);
    s11.intoArray(pairs, out + stride + LANES);
    s20.intoArray(pairs, out + 2 * stride);
    s21.intoArray(pairs, out + 2 * stride + LANES);
    s30.intoArray(pairs, out + 3 * stride);
    s31.intoArray(pairs, out + 3 * stride + LANES);
  }

  /**
   * Gradient of one sample: {@code dT[i] = sum over j of g(i, j) T[j]}.
   *
   * @param gradient holds the dot products' gradients from {@code gradientStart} on
   * @param target receives {@code dT}, {@code [slots][dim]}, from {@code start} on
   */
  void backward(
      MemorySegment features,
      long start,
      MemorySegment gradient,
      long gradientStart,
      MemorySegment target) {
    long at = gradientStart;
    for (int i = 1; i < slots; i++) {
      for (int j = 0; j < i; j++) {
        float g = gradient.getAtIndex(ValueLayout.JAVA_FLOAT, at++);
        pairGradients[i * stride + j] = g;
        pairGradients[j * stride + i] = g;
      }
    }
    int vectorDim = SPECIES.loopBound(dim);
    for (int i = 0; i < slots; i += TILE_ROWS) {
      int d = 0;
      for (; d + 2 * LANES <= dim; d += 2 * LANES) {
        backwardTile(i, d, features, start, target);
      }
      for (; d < vectorDim; d += LANES) {
        backwardHalfTile(i, d, features, start, target);
      }
      for (; d < dim; d++) {
        for (int row = i; row < Math.min(i + TILE_ROWS, slots); row++) {
          backwardElement(row, d, features, start, target);
        }
      }
    }
  }

  private void backwardTile(
      int i, int d, MemorySegment features, long start, MemorySegment target) {
    FloatVector s00 = FloatVector.zero(SPECIES);
    FloatVector s01 = s00;
    FloatVector s10 = s00;
    FloatVector s11 = s00;
    FloatVector s20 = s00;
    FloatVector s21 = s00;
    FloatVector s30 = s00;
    FloatVector s31 = s00;
    float[] g = pairGradients;
    int column = i;
    long at = start + d;
    for (int j = 0; j < slots; j++, column += stride, at += dim) {
      FloatVector left = Kernels.load(features, at);
      FloatVector right = Kernels.load(features, at + LANES);
      FloatVector r = FloatVector.broadcast(SPECIES, g[column]);
      s00 = left.fma(r, s00);
      s01 = right.fma(r, s01);
      r = FloatVector.broadcast(SPECIES, g[column + 1]);
      s10 = left.fma(r, s10);
      s11 = right.fma(r, s11);
      r = FloatVector.broadcast(SPECIES, g[column + 2]);
      s20 = left.fma(r, s20);
      s21 = right.fma(r, s21);
      r = FloatVector.broadcast(SPECIES, g[column + 3]);
      s30 = left.fma(r, s30);
      s31 = right.fma(r, s31);
    }
    long out = start + (long) i * dim + d;
    Kernels.store(s00, target, out);
    Kernels.store(s01, target, out + LANES);
    if (i + 1 < slots) {
      Kernels.store(s10, target, out + dim);
      Kernels.store(s11, target, out + dim + LANES);
    }
    if (i + 2 < slots) {
      Kernels.store(s20, target, out + 2L * dim);
      Kernels.store(s21, target, out + 2L * dim + LANES);
    }
    if (i + 3 < slots) {
      Kernels.store(s30, target, out + 3L * dim);
      Kernels.store(s31, target, out + 3L * dim + LANES);
    }
  }

  private void backwardHalfTile(
      int i, int d, MemorySegment features, long start, MemorySegment target) {
    FloatVector s0 = FloatVector.zero(SPECIES);
    FloatVector s1 = s0;
    FloatVector s2 = s0;
    FloatVector s3 = s0;
    float[] g = pairGradients;
    int column = i;
    long at = start + d;
    for (int j = 0; j < slots; j++, column += stride, at += dim) {
      FloatVector t = Kernels.load(features, at);
      s0 = t.fma(FloatVector.broadcast(SPECIES, g[column]), s0);
      s1 = t.fma(FloatVector.broadcast(SPECIES, g[column + 1]), s1);
      s2 = t.fma(FloatVector.broadcast(SPECIES, g[column + 2]), s2);
      s3 = t.fma(FloatVector.broadcast(SPECIES, g[column + 3]), s3);
    }
    long out = start + (long) i * dim + d;
    Kernels.store(s0, target, out);
    if (i + 1 < slots) {
      Kernels.store(s1, target, out + dim);
    }
    if (i + 2 < slots) {
      Kernels.store(s2, target, out + 2L * dim);
    }
    if (i + 3 < slots) {
      Kernels.store(s3, target, out + 3L * dim);
    }
  }

  private void backwardElement(
      int i, int d, MemorySegment features, long start, MemorySegment target) {
    float sum = 0;
    for (int j = 0; j < slots; j++) {
      float t = features.getAtIndex(ValueLayout.JAVA_FLOAT, start + (long) j * dim + d);
      sum = Math.fma(t, pairGradients[j * stride + i], sum);
    }
    target.setAtIndex(ValueLayout.JAVA_FLOAT, start + (long) i * dim + d, sum);
  }
}
