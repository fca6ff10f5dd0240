package io.holdfast.criteo.synthetic;

import java.util.Arrays;

/**
 * AUC and log loss of the true probabilities: against the labels that were drawn, and in
 * expectation over the labels.
 *
 * <p>AUC is the probability that a click has a higher probability than a non-click, ties counted
 * half. Up to 2^22 rows it is exact; beyond, probabilities that share one of 2^20 equal intervals
 * count as ties.
 */
final class PlantedScore {
  static final long MAX_EXACT_ROWS = 1 << 22;
  private static final int BUCKETS = 1 << 20;

  /** Bits of the probability shifted left by one, with the label below: they sort alike. */
  private final long[] exact;

  private final long[] clicksIn;
  private final long[] rowsIn;
  private final double[] weightIn;
  private int size;
  private long rows;
  private long clicks;
  private double logLoss;
  private double expectedLogLoss;

  /** Click rank sums so far, while AUC is computed. */
  private double pairs;

  private double expectedPairs;
  private double nonClicksBelow;
  private double nonWeightBelow;
  private double weightSum;

  PlantedScore(long totalRows) {
    boolean isExact = totalRows <= MAX_EXACT_ROWS;
    exact = isExact ? new long[(int) totalRows] : null;
    clicksIn = isExact ? null : new long[BUCKETS];
    rowsIn = isExact ? null : new long[BUCKETS];
    weightIn = isExact ? null : new double[BUCKETS];
  }

  void add(double probability, boolean click) {
    rows++;
    clicks += click ? 1 : 0;
    double own = -StrictMath.log(probability);
    double other = -StrictMath.log1p(-probability);
    logLoss += click ? own : other;
    expectedLogLoss += probability * own + (1 - probability) * other;
    if (exact != null) {
      exact[size++] = Double.doubleToLongBits(probability) << 1 | (click ? 1 : 0);
    } else {
      int bucket = (int) (probability * BUCKETS);
      clicksIn[bucket] += click ? 1 : 0;
      rowsIn[bucket]++;
      weightIn[bucket] += probability;
    }
  }

  /** The figures, once; {@code bytes} and {@code seconds} are passed through. */
  GenerationReport report(long bytes, double seconds) {
    if (exact != null) {
      sumExact();
    } else {
      for (int i = 0; i < BUCKETS; i++) {
        sum(clicksIn[i], rowsIn[i], weightIn[i]);
      }
    }
    return new GenerationReport(
        rows,
        clicks,
        pairs / ((double) clicks * (rows - clicks)),
        logLoss / rows,
        expectedPairs / (weightSum * (rows - weightSum)),
        expectedLogLoss / rows,
        bytes,
        seconds);
  }

  private void sumExact() {
    Arrays.sort(exact, 0, size);
    for (int from = 0, to; from < size; from = to) {
      long bits = exact[from] >>> 1;
      long clicksHere = 0;
      for (to = from; to < size && exact[to] >>> 1 == bits; to++) {
        clicksHere += exact[to] & 1;
      }
      sum(clicksHere, to - from, (to - from) * Double.longBitsToDouble(bits));
    }
  }

  /** Adds rows that tie with each other and lie above all before. */
  private void sum(long clicksHere, long rowsHere, double weightHere) {
    double nonClicksHere = rowsHere - clicksHere;
    pairs += clicksHere * (nonClicksBelow + nonClicksHere / 2);
    nonClicksBelow += nonClicksHere;
    double nonWeightHere = rowsHere - weightHere;
    expectedPairs += weightHere * (nonWeightBelow + nonWeightHere / 2);
    nonWeightBelow += nonWeightHere;
    weightSum += weightHere;
  }
}
