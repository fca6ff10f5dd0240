package io.holdfast.criteo.synthetic;

/**
 * What was generated, and the best that any model can reach on it.
 *
 * @param rows number of rows
 * @param clicks number of rows with label 1
 * @param plantedAuc AUC of the true probabilities against the labels; NaN if all labels are equal
 * @param plantedLogLoss log loss, nats, of the true probabilities against the labels
 * @param expectedAuc AUC of the true probabilities in expectation over the labels (ratio of
 *     expectations)
 * @param expectedLogLoss log loss, nats, in expectation over the labels: their mean entropy
 * @param bytes size of the file
 * @param seconds how long it took
 */
public record GenerationReport(
    long rows,
    long clicks,
    double plantedAuc,
    double plantedLogLoss,
    double expectedAuc,
    double expectedLogLoss,
    long bytes,
    double seconds) {}
