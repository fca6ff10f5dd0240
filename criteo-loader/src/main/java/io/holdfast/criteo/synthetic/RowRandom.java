package io.holdfast.criteo.synthetic;

/**
 * SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014) that can
 * be set to any row, so that a row depends on nothing but the seed and its index.
 */
final class RowRandom {
  private static final long GOLDEN = 0x9E3779B97F4A7C15L;

  private long state;

  /** Starts the stream of a row. */
  void start(long seed, long row) {
    state = mix(seed ^ mix(row + GOLDEN));
  }

  /** 64 random bits. */
  long next() {
    state += GOLDEN;
    return mix(state);
  }

  /** Uniform in [0, 1), a multiple of 2^-53. */
  double nextUnit() {
    return unit(next());
  }

  static double unit(long bits) {
    return (bits >>> 11) * 0x1p-53;
  }

  static long mix(long value) {
    long z = (value ^ (value >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }
}
