package io.holdfast.criteo.synthetic;

/**
 * What is published about the Criteo Kaggle data: cardinalities and missing rates; and, fitted to
 * published shares of the most frequent values, Zipf exponents and log-normal integers.
 */
final class KaggleShape {
  /** Distinct values of C1 to C26; a missing value counts as one where there are missing ones. */
  private static final int[] CARDINALITIES = {
    1460, 583, 10131227, 2202608, 305, 24, 12517, 633, 3, 93145, 5683, 8351593, 3194, 27, 14992,
    5461306, 10, 5652, 2173, 4, 7046547, 18, 15, 286181, 105, 142572
  };

  /** Zipf exponents: from shares where published, else about 1.1. */
  private static final double[] EXPONENTS = {
    1.75, 1.05, 0.98, 1.02, 1.2, 1.1, 1.1, 1.3, 3.2, 1.15, 1.1, 0.98, 1.1, 1.3, 1.1, 1.02, 1.1, 1.1,
    1.2, 1.1, 0.98, 1.1, 1.1, 1.1, 1.2, 1.05
  };

  private static final double[] CATEGORY_MISSING = {
    0, 0, .039, .039, 0, .137, 0, 0, 0, 0, 0, .039, 0, 0, 0, .039, 0, 0, .414, .414, .039, .817, 0,
    .039, .414, .414
  };

  private static final double[] INTEGER_MISSING = {
    .445, 0, .191, .194, .048, .252, .047, 0, .047, .445, .047, .772, .194
  };

  /** Mean and standard deviation of log(1+x). */
  private static final double[] INTEGER_MEAN = {
    1.1, 2.5, 2.1, 1.8, 7.6, 3.8, 1.9, 2.0, 3.8, 0.4, 1.0, 0.4, 1.9
  };

  private static final double[] INTEGER_DEVIATION = {
    0.9, 1.9, 1.3, 0.9, 2.2, 1.5, 1.2, 1.1, 1.3, 0.4, 0.7, 0.7, 0.9
  };

  /** Share of -1 in I2, Criteo's only column in which negative values are frequent. */
  private static final double NEGATIVE_SHARE = 0.1;

  static final int QUANTILE_BITS = 14;
  private static final int QUANTILES = 1 << QUANTILE_BITS;

  /** Quantiles of the standard normal distribution. */
  private static final double[] NORMAL = new double[QUANTILES];

  static {
    for (int i = 0; i < QUANTILES; i++) {
      NORMAL[i] = normalQuantile((i + 0.5) / QUANTILES);
    }
  }

  private KaggleShape() {}

  static int cardinality(int column) {
    return CARDINALITIES[column];
  }

  /** Number of distinct values besides the missing one. */
  static int values(int column) {
    return CARDINALITIES[column] - (CATEGORY_MISSING[column] > 0 ? 1 : 0);
  }

  static double exponent(int column) {
    return EXPONENTS[column];
  }

  static double categoryMissing(int column) {
    return CATEGORY_MISSING[column];
  }

  static double integerMissing(int column) {
    return INTEGER_MISSING[column];
  }

  /** Quantiles of an integer column, ascending: {@value #QUANTILES} equally likely values. */
  static int[] integerQuantiles(int column) {
    int[] quantiles = new int[QUANTILES];
    int negative = column == 1 ? (int) (QUANTILES * NEGATIVE_SHARE) : 0;
    for (int i = 0; i < negative; i++) {
      quantiles[i] = -1;
    }
    for (int i = negative; i < QUANTILES; i++) {
      double normal = NORMAL[(int) ((i - negative) * (long) QUANTILES / (QUANTILES - negative))];
      double log = INTEGER_MEAN[column] + INTEGER_DEVIATION[column] * normal;
      quantiles[i] = (int) StrictMath.expm1(Math.max(0, log));
    }
    return quantiles;
  }

  /**
   * Quantile of the normal distribution by bisection of its distribution function, which is the
   * series of Marsaglia ("Evaluating the normal distribution", 2004).
   */
  private static double normalQuantile(double probability) {
    double low = -6;
    double high = 6;
    for (int i = 0; i < 40; i++) {
      double middle = (low + high) / 2;
      if (normalShare(middle) < probability) {
        low = middle;
      } else {
        high = middle;
      }
    }
    return low;
  }

  private static double normalShare(double x) {
    double sum = x;
    double term = x;
    for (int i = 3; Math.abs(term) > 1e-15; i += 2) {
      term *= x * x / i;
      sum += term;
    }
    return 0.5 + sum * StrictMath.exp(-x * x / 2) / StrictMath.sqrt(2 * Math.PI);
  }
}
