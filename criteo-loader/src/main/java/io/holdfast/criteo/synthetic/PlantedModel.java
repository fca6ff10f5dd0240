package io.holdfast.criteo.synthetic;

import io.holdfast.criteo.CriteoFormat;

/**
 * The model that labels are drawn from:
 *
 * <pre>
 * logit P(click) = b + sum over j of d_j(log(1+I_j)) + sum over c of l_c(C_c)
 *                    + sum over pairs (c, e) of g_ce * &lt;u_c(C_c), u_e(C_e)&gt;
 * </pre>
 *
 * <p>d_j is a centred tanh; l_c is 0 but for a column's most frequent values; u_c is a vector of
 * two numbers, 0 but for a column's most frequent values, of mean 0 over the column. Columns are
 * independent, so a pair's term has mean 0 whatever one of its values is: a model that adds up
 * effects of single columns sees nothing of it. Rare and missing values have no effect, so that
 * everything can be learned from about a million rows.
 */
final class PlantedModel {
  /** Pairs of columns, zero based, of which none is in two pairs. */
  private static final int[][] PAIRS = {{13, 16}, {0, 22}};

  /** Values of each pair's columns that have a vector, most frequent first. */
  private static final int[][] PAIR_HEADS = {{12, 10}, {8, 12}};

  /** Standard deviation of a pair's term. */
  static final double PAIR_DEVIATION = 0.62;

  private static final int[] LINEAR_COLUMNS = {8, 9, 12, 19, 24};
  private static final int LINEAR_HEAD = 16;

  /** Standard deviation of a column's term. */
  static final double LINEAR_DEVIATION = 0.3;

  private static final int[] DENSE_COLUMNS = {4, 5, 6, 10, 12};

  /** Standard deviation, with sign, of an integer column's term. */
  private static final double[] DENSE_DEVIATION = {-0.35, 0.4, -0.35, 0.35, 0.35};

  /** Angle between vectors of successive ranks: the golden angle spreads any number of them. */
  private static final double GOLDEN_ANGLE = StrictMath.PI * (3 - StrictMath.sqrt(5));

  /** [pair][side][rank * 2 + component], with the pair's strength in the first side. */
  private final double[][][] factors = new double[PAIRS.length][2][];

  private final double[][] linear = new double[CriteoFormat.CATEGORIES][];

  /** [integer column][quantile], the effect of a value. */
  private final double[][] dense = new double[CriteoFormat.INTEGERS][];

  private final double[] denseMissing = new double[CriteoFormat.INTEGERS];
  private double intercept;

  /**
   * Plants a model.
   *
   * @param quantiles equally likely values of each integer column
   */
  PlantedModel(long modelSeed, ZipfSampler[] samplers, int[][] quantiles) {
    RowRandom random = new RowRandom();
    random.start(modelSeed, -1);
    for (int pair = 0; pair < PAIRS.length; pair++) {
      double[][] covariances = new double[2][];
      for (int side = 0; side < 2; side++) {
        int column = PAIRS[pair][side];
        factors[pair][side] = vectors(samplers[column], PAIR_HEADS[pair][side], random);
        covariances[side] = covariance(samplers[column], column, factors[pair][side]);
      }
      double variance = 0;
      for (int i = 0; i < 4; i++) {
        variance += covariances[0][i] * covariances[1][i];
      }
      scale(factors[pair][0], PAIR_DEVIATION / StrictMath.sqrt(variance));
    }
    for (int column : LINEAR_COLUMNS) {
      linear[column] = linearEffects(samplers[column], column, random);
    }
    for (int i = 0; i < DENSE_COLUMNS.length; i++) {
      plantDense(DENSE_COLUMNS[i], DENSE_DEVIATION[i], quantiles[DENSE_COLUMNS[i]]);
    }
  }

  /** Unit vectors at golden angles, centred over the head: [rank * 2 + component]. */
  private static double[] vectors(ZipfSampler sampler, int head, RowRandom random) {
    double turn = 2 * StrictMath.PI * random.nextUnit();
    double[] vectors = new double[2 * head];
    for (int rank = 0; rank < head; rank++) {
      vectors[2 * rank] = StrictMath.cos(turn + rank * GOLDEN_ANGLE);
      vectors[2 * rank + 1] = StrictMath.sin(turn + rank * GOLDEN_ANGLE);
    }
    double share = 0;
    double[] mean = new double[2];
    for (int rank = 0; rank < head; rank++) {
      double probability = sampler.probability(rank);
      share += probability;
      mean[0] += probability * vectors[2 * rank];
      mean[1] += probability * vectors[2 * rank + 1];
    }
    for (int i = 0; i < vectors.length; i++) {
      vectors[i] -= mean[i % 2] / share;
    }
    return vectors;
  }

  /** The four entries of the vectors' covariance over a column's values, missing ones included. */
  private static double[] covariance(ZipfSampler sampler, int column, double[] vectors) {
    double[] covariance = new double[4];
    for (int rank = 0; rank < vectors.length / 2; rank++) {
      double weight = sampler.probability(rank) * (1 - KaggleShape.categoryMissing(column));
      for (int i = 0; i < 4; i++) {
        covariance[i] += weight * vectors[2 * rank + i / 2] * vectors[2 * rank + i % 2];
      }
    }
    return covariance;
  }

  private static double[] linearEffects(ZipfSampler sampler, int column, RowRandom random) {
    double turn = 2 * StrictMath.PI * random.nextUnit();
    int head = Math.min(LINEAR_HEAD, KaggleShape.values(column));
    double[] effects = new double[head];
    double share = 0;
    double mean = 0;
    for (int rank = 0; rank < head; rank++) {
      effects[rank] = StrictMath.cos(turn + rank * GOLDEN_ANGLE);
      share += sampler.probability(rank);
      mean += sampler.probability(rank) * effects[rank];
    }
    double variance = 0;
    for (int rank = 0; rank < head; rank++) {
      effects[rank] -= mean / share;
      variance += sampler.probability(rank) * effects[rank] * effects[rank];
    }
    variance *= 1 - KaggleShape.categoryMissing(column);
    scale(effects, LINEAR_DEVIATION / StrictMath.sqrt(variance));
    return effects;
  }

  private void plantDense(int column, double deviation, int[] quantiles) {
    double missing = KaggleShape.integerMissing(column);
    double weight = (1 - missing) / quantiles.length;
    double[] logs = new double[quantiles.length];
    double mean = 0;
    double square = 0;
    for (int i = 0; i < logs.length; i++) {
      logs[i] = StrictMath.log1p(Math.max(0, quantiles[i]));
      mean += weight * logs[i];
      square += weight * logs[i] * logs[i];
    }
    double spread = StrictMath.sqrt(square - mean * mean);
    // A reader sees a missing value as 0, and so does the model.
    double atMissing = StrictMath.tanh(-mean / (2 * spread));
    double centre = missing * atMissing;
    double variance = missing * atMissing * atMissing;
    double[] effects = new double[logs.length];
    for (int i = 0; i < logs.length; i++) {
      effects[i] = StrictMath.tanh((logs[i] - mean) / (2 * spread));
      centre += weight * effects[i];
      variance += weight * effects[i] * effects[i];
    }
    double factor = deviation / StrictMath.sqrt(variance - centre * centre);
    for (int i = 0; i < effects.length; i++) {
      effects[i] = factor * (effects[i] - centre);
    }
    dense[column] = effects;
    denseMissing[column] = factor * (atMissing - centre);
  }

  private static void scale(double[] values, double factor) {
    for (int i = 0; i < values.length; i++) {
      values[i] *= factor;
    }
  }

  /** Sets b. */
  void intercept(double value) {
    intercept = value;
  }

  /**
   * The logit of a row.
   *
   * @param quantile of each integer, -1 where it is missing
   * @param ranks of each category, -1 where it is missing
   */
  double logit(int[] quantile, long[] ranks) {
    double sum = intercept;
    for (int column : DENSE_COLUMNS) {
      int at = quantile[column];
      sum += at < 0 ? denseMissing[column] : dense[column][at];
    }
    for (int column : LINEAR_COLUMNS) {
      long rank = ranks[column];
      if (rank >= 0 && rank < linear[column].length) {
        sum += linear[column][(int) rank];
      }
    }
    for (int pair = 0; pair < PAIRS.length; pair++) {
      double[] left = factors[pair][0];
      double[] right = factors[pair][1];
      long l = 2 * ranks[PAIRS[pair][0]];
      long r = 2 * ranks[PAIRS[pair][1]];
      if (l >= 0 && l < left.length && r >= 0 && r < right.length) {
        sum += left[(int) l] * right[(int) r] + left[(int) l + 1] * right[(int) r + 1];
      }
    }
    return sum;
  }
}
