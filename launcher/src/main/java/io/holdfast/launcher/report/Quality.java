package io.holdfast.launcher.report;

/**
 * How good predictions are on labelled samples.
 *
 * @param evalSamples samples that were scored
 * @param auc area under the ROC curve, exact
 * @param logLoss mean binary cross entropy, nats
 * @param normalizedEntropy {@code logLoss} over that of always predicting the mean click rate
 * @param accuracy share of samples on the right side of 0.5
 */
public record Quality(
    long evalSamples, double auc, double logLoss, double normalizedEntropy, double accuracy) {

  /** Nothing was scored. */
  public static Quality none() {
    return new Quality(0, Double.NaN, Double.NaN, Double.NaN, Double.NaN);
  }
}
