package io.holdfast.worker.metrics;

/** What both exact and running metrics need from one prediction. */
final class Scores {
  /**
   * Probabilities are kept this far from 0 and 1 in log loss: a float next to 1 rounds to 1 at a
   * logit of 17, and one certain but wrong prediction must not make the sum infinite.
   */
  static final double CLIP = 1e-7;

  private Scores() {}

  static void check(float probability, float label) {
    if (!(probability >= 0 && probability <= 1)) {
      throw new IllegalArgumentException(
          "a probability is " + probability + ", must be from 0 to 1");
    }
    if (label != 0 && label != 1) {
      throw new IllegalArgumentException("a label is " + label + ", must be 0 or 1");
    }
  }

  static double logLoss(float probability, boolean positive) {
    double p = Math.clamp(probability, CLIP, 1 - CLIP);
    return -(positive ? Math.log(p) : Math.log1p(-p));
  }

  /** Whether the more likely class is the right one; at exactly 0.5 a click is predicted. */
  static boolean correct(float probability, boolean positive) {
    return (probability >= 0.5f) == positive;
  }

  /** Entropy of the base rate in nats; NaN without samples. */
  static double entropy(double positives, double samples) {
    double rate = positives / samples;
    return rate == 0 || rate == 1 ? 0 : -rate * Math.log(rate) - (1 - rate) * Math.log1p(-rate);
  }
}
