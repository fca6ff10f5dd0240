package io.holdfast.config.model;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Initial values, computed from a seed and a position alone, so that any process can recompute them
 * bit for bit. Distributions are those of the reference DLRM: embeddings uniform in {@code
 * +-sqrt(1/rows)}, weights normal with variance {@code 2/(in+out)}, biases normal with variance
 * {@code 1/out}. Only integer arithmetic, exact float products and StrictMath are used, because
 * {@code Math.log} and its like may differ between hosts.
 */
public final class ParameterInit {
  private static final long GOLDEN = 0x9E3779B97F4A7C15L;
  private static final float TWO_POW_MINUS_24 = 0x1p-24f;

  private final long seed;

  public ParameterInit(long seed) {
    this.seed = seed;
  }

  /**
   * SplitMix64's finalizer (Steele, Lea, Flood 2014): a bijection whose output bits look random.
   */
  public static long mix(long z) {
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }

  /**
   * Writes a row's initial weights.
   *
   * @param scale bound of the uniform distribution, see {@link #embeddingScale}
   * @param globalRow the row over all tables
   * @param target receives {@code dim} floats
   * @param offsetBytes where in {@code target}
   */
  public void row(long globalRow, float scale, int dim, MemorySegment target, long offsetBytes) {
    long state = mix(seed ^ mix(globalRow + GOLDEN));
    for (int i = 0; i < dim; i += 2) {
      state += GOLDEN;
      long bits = mix(state);
      target.set(
          ValueLayout.JAVA_FLOAT_UNALIGNED, offsetBytes + 4L * i, uniform(bits >>> 40, scale));
      if (i + 1 < dim) {
        target.set(
            ValueLayout.JAVA_FLOAT_UNALIGNED,
            offsetBytes + 4L * (i + 1),
            uniform((bits >>> 8) & 0xFFFFFF, scale));
      }
    }
  }

  private static float uniform(long bits24, float scale) {
    return ((int) bits24 * TWO_POW_MINUS_24 * 2f - 1f) * scale;
  }

  /** Bound of the uniform distribution of a table's weights. */
  public static float embeddingScale(long rows) {
    return (float) StrictMath.sqrt(1.0 / rows);
  }

  /**
   * Writes initial NN parameters.
   *
   * @param from first parameter of the flat vector to compute
   * @param count how many
   * @param target receives {@code count} floats from its start
   */
  public void nn(NnLayout layout, int from, int count, MemorySegment target) {
    int written = 0;
    for (java.util.List<NnLayout.Layer> layers : java.util.List.of(layout.bottom(), layout.top())) {
      for (NnLayout.Layer layer : layers) {
        int start = Math.max(from, layer.weights());
        int end = Math.min(from + count, layer.bias() + layer.out());
        double weightDeviation = StrictMath.sqrt(2.0 / (layer.in() + layer.out()));
        double biasDeviation = StrictMath.sqrt(1.0 / layer.out());
        for (int i = start; i < end; i++) {
          double deviation = i < layer.bias() ? weightDeviation : biasDeviation;
          target.set(
              ValueLayout.JAVA_FLOAT_UNALIGNED, 4L * (i - from), (float) (deviation * normal(i)));
          written++;
        }
      }
    }
    if (written != count) {
      throw new IndexOutOfBoundsException(
          from + ".." + (from + count) + " of " + layout.parameters() + " parameters");
    }
  }

  /** Standard normal by Box and Muller's transform. */
  private double normal(int parameter) {
    long first = mix(seed ^ mix(~(long) parameter));
    long second = mix(first + GOLDEN);
    double u1 = ((first >>> 11) + 1) * 0x1p-53;
    double u2 = (second >>> 11) * 0x1p-53;
    return StrictMath.sqrt(-2.0 * StrictMath.log(u1)) * StrictMath.cos(2.0 * Math.PI * u2);
  }
}
