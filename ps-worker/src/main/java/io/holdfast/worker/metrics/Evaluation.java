package io.holdfast.worker.metrics;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * Exact metrics over all predictions that were added: 4 bytes a sample. For use by one thread.
 *
 * <p>AUC is the probability that a random click scores above a random non-click, ties counting half
 * (Mann and Whitney's U, normalised): scores of both classes are sorted apart and merged.
 */
public final class Evaluation {
  private final SortedScores clicks = new SortedScores();
  private final SortedScores others = new SortedScores();
  private double lossSum;
  private long correct;

  /**
   * Adds a batch.
   *
   * @param probabilities predicted probabilities, {@code count} floats
   * @param labels 0 or 1, {@code count} floats
   * @throws IllegalArgumentException for a probability outside 0 to 1, NaN, or another label
   */
  public void add(MemorySegment probabilities, MemorySegment labels, int count) {
    for (int i = 0; i < count; i++) {
      add(
          probabilities.getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, i),
          labels.getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, i));
    }
  }

  /** Adds one prediction; see {@link #add(MemorySegment, MemorySegment, int)}. */
  public void add(float probability, float label) {
    Scores.check(probability, label);
    boolean positive = label == 1;
    (positive ? clicks : others).add(probability);
    lossSum += Scores.logLoss(probability, positive);
    correct += Scores.correct(probability, positive) ? 1 : 0;
  }

  /** Adds what another evaluation saw, for instance another thread's. */
  public void addAll(Evaluation other) {
    clicks.addAll(other.clicks);
    others.addAll(other.others);
    lossSum += other.lossSum;
    correct += other.correct;
  }

  /** Number of predictions. */
  public long samples() {
    return (long) clicks.size + others.size;
  }

  /** Share of clicks; NaN without samples. */
  public double baseRate() {
    return (double) clicks.size / samples();
  }

  /** Area under the ROC curve; NaN unless there are both clicks and non-clicks. */
  public double auc() {
    if (clicks.size == 0 || others.size == 0) {
      return Double.NaN;
    }
    int[] c = clicks.sorted();
    int[] o = others.sorted();
    // Twice the number of pairs in the right order: below 2^63 for any two arrays.
    long twice = 0;
    int below = 0;
    int notAbove = 0;
    for (int i = 0; i < clicks.size; i++) {
      while (below < others.size && o[below] < c[i]) {
        below++;
      }
      notAbove = Math.max(notAbove, below);
      while (notAbove < others.size && o[notAbove] == c[i]) {
        notAbove++;
      }
      twice += (long) below + notAbove;
    }
    return twice / 2.0 / clicks.size / others.size;
  }

  /** Mean log loss in nats, probabilities clipped to {@code 1e-7 .. 1 - 1e-7}; NaN if empty. */
  public double logLoss() {
    return lossSum / samples();
  }

  /**
   * Log loss divided by that of always predicting the base rate (He et al. 2014): below 1 is better
   * than knowing nothing. Infinite or NaN if all labels are equal.
   */
  public double normalizedEntropy() {
    return logLoss() / Scores.entropy(clicks.size, (double) samples());
  }

  /** Share of predictions on the right side of 0.5; NaN if empty. */
  public double accuracy() {
    return (double) correct / samples();
  }

  /** A growing array of floats from 0 to 1, kept as their bits, which sort as the floats do. */
  private static final class SortedScores {
    private int[] bits = new int[1024];
    private int size;
    private int sortedSize;

    void add(float score) {
      reserve((long) size + 1);
      bits[size++] = Float.floatToRawIntBits(score + 0f); // makes -0 a 0
    }

    void addAll(SortedScores other) {
      reserve((long) size + other.size);
      System.arraycopy(other.bits, 0, bits, size, other.size);
      size += other.size;
    }

    private void reserve(long needed) {
      int limit = Integer.MAX_VALUE - 8;
      if (needed > limit) {
        throw new IllegalStateException("more than " + limit + " predictions of one class");
      }
      if (needed > bits.length) {
        bits = Arrays.copyOf(bits, (int) Math.min(limit, Math.max(needed, bits.length * 3L / 2)));
      }
    }

    int[] sorted() {
      if (sortedSize != size) {
        Arrays.sort(bits, 0, size);
        sortedSize = size;
      }
      return bits;
    }
  }
}
