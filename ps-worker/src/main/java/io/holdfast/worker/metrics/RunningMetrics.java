package io.holdfast.worker.metrics;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * Metrics of the recent past, for a job that trains: a prediction's weight halves every {@code
 * halfLifeSamples}. Constant memory, one pass over 8,192 counts for each batch. For use by one
 * thread.
 *
 * <p>AUC is estimated from histograms of both classes over the logit, in 4,096 buckets of 1/128
 * from -16 to 16; within a bucket all scores count as equal. The estimate is off by at most half
 * the chance that a random click and a random non-click share a bucket.
 */
public final class RunningMetrics {
  private static final int BUCKETS = 4096;
  private static final double BUCKETS_PER_UNIT = 128;
  private static final double LOWEST_LOGIT = -16;

  private final double halfLifeSamples;
  private final double[] clicks = new double[BUCKETS];
  private final double[] others = new double[BUCKETS];
  private double clickWeight;
  private double otherWeight;
  private double lossSum;
  private double correct;
  private long samples;

  /**
   * Starts empty.
   *
   * @param halfLifeSamples after how many samples a sample counts half; infinite to never forget
   */
  public RunningMetrics(double halfLifeSamples) {
    if (!(halfLifeSamples > 0)) {
      throw new IllegalArgumentException(
          "the half-life is " + halfLifeSamples + " samples, must be positive");
    }
    this.halfLifeSamples = halfLifeSamples;
  }

  /**
   * Adds a batch, whose samples all weigh the same.
   *
   * @param probabilities predicted probabilities, {@code count} floats
   * @param labels 0 or 1, {@code count} floats
   * @throws IllegalArgumentException for a probability outside 0 to 1, NaN, or another label
   */
  public void add(MemorySegment probabilities, MemorySegment labels, int count) {
    forget(count);
    for (int i = 0; i < count; i++) {
      float probability = probabilities.getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, i);
      float label = labels.getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, i);
      Scores.check(probability, label);
      boolean positive = label == 1;
      if (positive) {
        clicks[bucket(probability)]++;
        clickWeight++;
      } else {
        others[bucket(probability)]++;
        otherWeight++;
      }
      lossSum += Scores.logLoss(probability, positive);
      correct += Scores.correct(probability, positive) ? 1 : 0;
    }
    samples += count;
  }

  private void forget(int count) {
    double factor = Math.pow(0.5, count / halfLifeSamples);
    for (int i = 0; i < BUCKETS; i++) {
      clicks[i] *= factor;
      others[i] *= factor;
    }
    // Summed anew, so that rounding does not pile up over a long job.
    clickWeight = Arrays.stream(clicks).sum();
    otherWeight = Arrays.stream(others).sum();
    lossSum *= factor;
    correct *= factor;
  }

  private static int bucket(float probability) {
    double logit = Math.log(probability / (1.0 - probability));
    double bucket = Math.floor((logit - LOWEST_LOGIT) * BUCKETS_PER_UNIT);
    return (int) Math.clamp(bucket, 0, BUCKETS - 1);
  }

  /** Number of predictions ever added. */
  public long samples() {
    return samples;
  }

  /** Estimated area under the ROC curve; NaN unless both classes were seen. */
  public double auc() {
    if (clickWeight == 0 || otherWeight == 0) {
      return Double.NaN;
    }
    double below = 0;
    double area = 0;
    for (int i = 0; i < BUCKETS; i++) {
      area += clicks[i] * (below + others[i] / 2);
      below += others[i];
    }
    return area / clickWeight / otherWeight;
  }

  /** Share of clicks; NaN without samples. */
  public double baseRate() {
    return clickWeight / (clickWeight + otherWeight);
  }

  /** Mean log loss in nats, probabilities clipped to {@code 1e-7 .. 1 - 1e-7}; NaN if empty. */
  public double logLoss() {
    return lossSum / (clickWeight + otherWeight);
  }

  /** See {@link Evaluation#normalizedEntropy}. */
  public double normalizedEntropy() {
    return logLoss() / Scores.entropy(clickWeight, clickWeight + otherWeight);
  }

  /** Share of predictions on the right side of 0.5; NaN if empty. */
  public double accuracy() {
    return correct / (clickWeight + otherWeight);
  }
}
