package io.holdfast.launcher.report;

/**
 * The best that any model can reach on synthetic data: the scores of the true probabilities.
 *
 * @param auc on the drawn labels
 * @param logLoss on the drawn labels, nats
 */
public record Planted(double auc, double logLoss) {}
