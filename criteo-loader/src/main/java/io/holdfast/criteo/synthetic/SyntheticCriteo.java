package io.holdfast.criteo.synthetic;

import io.holdfast.criteo.CriteoFormat;

/**
 * A world of Criteo-like rows: row {@code i} depends only on the two seeds and {@code i}. Safe for
 * several threads, each with a {@link SyntheticRow} of its own.
 *
 * <p>The value of a category, modulo the column's published cardinality, is different for every
 * rank, and 0 only where it is missing: a table of that many rows has no collisions under {@code
 * MODULO}. Smaller tables, and {@code HASH}, have them.
 */
public final class SyntheticCriteo {
  /** The planted model and the categories' values if nothing else is asked for. */
  public static final long DEFAULT_MODEL_SEED = 20_140_923;

  /** Share of clicks that the intercept is set for. */
  static final double CLICK_RATE = 0.24;

  private static final int CALIBRATION_ROWS = 1 << 15;

  private final long seed;
  private final long modelSeed;
  private final ZipfSampler[] samplers = new ZipfSampler[CriteoFormat.CATEGORIES];
  private final long[] multipliers = new long[CriteoFormat.CATEGORIES];
  private final int[][] quantiles = new int[CriteoFormat.INTEGERS][];
  private final PlantedModel model;

  /** Rows of a seed, with the default planted model. */
  public SyntheticCriteo(long seed) {
    this(seed, DEFAULT_MODEL_SEED);
  }

  /**
   * Rows of a seed.
   *
   * @param modelSeed the planted model and the categories' values: equal for data to train on and
   *     data to evaluate with
   */
  public SyntheticCriteo(long seed, long modelSeed) {
    this.seed = RowRandom.mix(seed);
    this.modelSeed = RowRandom.mix(modelSeed);
    for (int column = 0; column < samplers.length; column++) {
      samplers[column] = new ZipfSampler(KaggleShape.values(column), KaggleShape.exponent(column));
      multipliers[column] = multiplier(column);
    }
    for (int column = 0; column < quantiles.length; column++) {
      quantiles[column] = KaggleShape.integerQuantiles(column);
    }
    model = new PlantedModel(this.modelSeed, samplers, quantiles);
    calibrate();
  }

  /** A number without a common divisor with the column's values, about 0.618 of them. */
  private static long multiplier(int column) {
    long values = KaggleShape.values(column);
    long candidate = Math.max(1, (long) (values * 0.6180339887));
    while (gcd(candidate, values) != 1) {
      candidate++;
    }
    return candidate;
  }

  private static long gcd(long a, long b) {
    return b == 0 ? a : gcd(b, a % b);
  }

  /** Sets the intercept by bisection so that some rows of the model's own have the click rate. */
  private void calibrate() {
    double[] logits = new double[CALIBRATION_ROWS];
    SyntheticRow row = new SyntheticRow();
    for (int i = 0; i < logits.length; i++) {
      row.random.start(modelSeed, i);
      logits[i] = drawInputs(row);
    }
    double low = -20;
    double high = 20;
    for (int i = 0; i < 60; i++) {
      double middle = (low + high) / 2;
      double sum = 0;
      for (double logit : logits) {
        sum += sigmoid(logit + middle);
      }
      if (sum / logits.length < CLICK_RATE) {
        low = middle;
      } else {
        high = middle;
      }
    }
    model.intercept(low);
  }

  /** Fills in a row. */
  public void generate(long index, SyntheticRow row) {
    row.random.start(seed, index);
    row.probability = sigmoid(drawInputs(row));
    row.click = row.random.nextUnit() < row.probability;
    for (int column = 0; column < CriteoFormat.CATEGORIES; column++) {
      row.categories[column] = row.ranks[column] < 0 ? 0 : value(column, row.ranks[column]);
    }
  }

  /** The true probability of a click in a row. */
  public double probability(long index) {
    SyntheticRow row = new SyntheticRow();
    generate(index, row);
    return row.probability;
  }

  /** Draws integers and ranks; returns the logit. */
  private double drawInputs(SyntheticRow row) {
    for (int column = 0; column < CriteoFormat.INTEGERS; column++) {
      boolean missing = row.random.nextUnit() < KaggleShape.integerMissing(column);
      row.quantiles[column] =
          missing ? -1 : (int) (row.random.next() >>> (64 - KaggleShape.QUANTILE_BITS));
      row.integerMissing[column] = missing;
      row.integers[column] = missing ? 0 : quantiles[column][row.quantiles[column]];
    }
    for (int column = 0; column < CriteoFormat.CATEGORIES; column++) {
      double missing = KaggleShape.categoryMissing(column);
      row.ranks[column] =
          missing > 0 && row.random.nextUnit() < missing ? -1 : samplers[column].draw(row.random);
    }
    return model.logit(row.quantiles, row.ranks);
  }

  /** The 32 bits that stand for a rank; see the class comment. */
  int value(int column, long rank) {
    long cardinality = KaggleShape.cardinality(column);
    long values = KaggleShape.values(column);
    long shift = RowRandom.mix(modelSeed + column) >>> 33;
    long residue = cardinality - values + (rank * multipliers[column] + shift) % values;
    long hash = RowRandom.mix(modelSeed ^ RowRandom.mix(rank * CriteoFormat.CATEGORIES + column));
    long layers = (1L << 32) / cardinality - 1;
    long layer = 1 + Math.unsignedMultiplyHigh(hash, layers);
    return (int) (residue + layer * cardinality);
  }

  static double sigmoid(double x) {
    return 1 / (1 + StrictMath.exp(-x));
  }
}
