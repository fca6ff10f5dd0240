package io.holdfast.benchmarks;

import java.util.Arrays;
import java.util.List;

/**
 * The same thing measured several times.
 *
 * @param median of the rounds
 * @param least of them
 * @param most of them
 * @param rounds how many there were
 */
record Spread(double median, double least, double most, int rounds) {
  /**
   * Of rounds.
   *
   * @throws IllegalArgumentException if there are none
   */
  static Spread of(double... rounds) {
    if (rounds.length == 0) {
      throw new IllegalArgumentException("nothing was measured");
    }
    double[] sorted = rounds.clone();
    Arrays.sort(sorted);
    int middle = sorted.length / 2;
    double median =
        sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    return new Spread(median, sorted[0], sorted[sorted.length - 1], sorted.length);
  }

  static Spread of(List<Double> rounds) {
    return of(rounds.stream().mapToDouble(Double::doubleValue).toArray());
  }
}
