package io.holdfast.criteo.synthetic;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Draws ranks 0 to n-1 with probability proportional to (rank + 1)^-s.
 *
 * <p>The first {@value #HEAD} ranks are drawn exactly by Walker's alias method (tables as in Vose:
 * "A linear algorithm for generating random numbers with a given distribution", 1991); the tail is
 * one more outcome of it, within which the integral of x^-s is inverted: its relative error is
 * below 1e-7 there.
 */
final class ZipfSampler {
  private static final int HEAD = 4096;

  private final long n;
  private final double exponent;
  private final int outcomes;
  private final double total;
  private final double tailFrom;
  private final double tailSpan;
  private final double[] threshold;
  private final int[] alias;

  ZipfSampler(long n, double exponent) {
    if (n < 1 || exponent <= 0 || exponent == 1) {
      throw new IllegalArgumentException("Zipf over " + n + " ranks with exponent " + exponent);
    }
    this.n = n;
    this.exponent = exponent;
    int head = (int) Math.min(n, HEAD);
    outcomes = n > head ? head + 1 : head;
    tailFrom = power(head + 0.5);
    tailSpan = power(n + 0.5) - tailFrom;
    double[] weights = new double[outcomes];
    double sum = 0;
    for (int rank = 0; rank < head; rank++) {
      weights[rank] = StrictMath.pow(rank + 1.0, -exponent);
      sum += weights[rank];
    }
    if (outcomes > head) {
      weights[head] = tailSpan / (1 - exponent);
      sum += weights[head];
    }
    total = sum;
    threshold = new double[outcomes];
    alias = new int[outcomes];
    buildAlias(weights);
  }

  private void buildAlias(double[] weights) {
    Deque<Integer> small = new ArrayDeque<>();
    Deque<Integer> large = new ArrayDeque<>();
    for (int i = 0; i < outcomes; i++) {
      threshold[i] = weights[i] * outcomes / total;
      (threshold[i] < 1 ? small : large).add(i);
    }
    while (!small.isEmpty() && !large.isEmpty()) {
      int less = small.remove();
      int more = large.peek();
      alias[less] = more;
      threshold[more] -= 1 - threshold[less];
      if (threshold[more] < 1) {
        small.add(large.remove());
      }
    }
    // What is left differs from 1 by rounding only.
    small.forEach(i -> threshold[i] = 1);
    large.forEach(i -> threshold[i] = 1);
  }

  /** Draws a rank. */
  long draw(RowRandom random) {
    double scaled = random.nextUnit() * outcomes;
    int outcome = (int) scaled;
    if (scaled - outcome >= threshold[outcome]) {
      outcome = alias[outcome];
    }
    if (outcome < HEAD) {
      return outcome;
    }
    double x = StrictMath.pow(tailFrom + random.nextUnit() * tailSpan, 1 / (1 - exponent));
    return Math.clamp((long) (x + 0.5), HEAD + 1L, n) - 1;
  }

  /** Probability of a rank. */
  double probability(long rank) {
    return StrictMath.pow(rank + 1.0, -exponent) / total;
  }

  private double power(double x) {
    return StrictMath.pow(x, 1 - exponent);
  }
}
