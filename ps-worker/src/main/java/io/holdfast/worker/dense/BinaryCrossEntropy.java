package io.holdfast.worker.dense;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Binary cross entropy on logits, in the form that neither overflows nor cancels. */
final class BinaryCrossEntropy {
  private BinaryCrossEntropy() {}

  /** {@code -label log p - (1 - label) log(1 - p)} with {@code p = probability(logit)}. */
  static double loss(double logit, double label) {
    return Math.max(logit, 0) - logit * label + Math.log1p(Math.exp(-Math.abs(logit)));
  }

  /** The logistic function. */
  static double probability(double logit) {
    if (logit >= 0) {
      return 1 / (1 + Math.exp(-logit));
    }
    double e = Math.exp(logit);
    return e / (1 + e);
  }

  /** Sum of the losses of samples {@code from} to {@code to}, in that order. */
  static double sum(MemorySegment logits, MemorySegment labels, int from, int to) {
    double sum = 0;
    for (int sample = from; sample < to; sample++) {
      sum +=
          loss(
              logits.getAtIndex(ValueLayout.JAVA_FLOAT, sample),
              labels.getAtIndex(ValueLayout.JAVA_FLOAT, sample));
    }
    return sum;
  }

  /** Writes the probabilities of the first {@code batch} logits. */
  static void probabilities(MemorySegment logits, int batch, MemorySegment target) {
    for (int sample = 0; sample < batch; sample++) {
      double logit = logits.getAtIndex(ValueLayout.JAVA_FLOAT, sample);
      target.setAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, sample, (float) probability(logit));
    }
  }
}
