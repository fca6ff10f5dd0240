package io.holdfast.launcher.report;

import com.fasterxml.jackson.annotation.JsonUnwrapped;

/**
 * The report of {@code generate}.
 *
 * @param rows written
 * @param clicks rows with label 1
 * @param fileBytes size of the file
 * @param seconds that it took
 * @param planted scores of the true probabilities on the drawn labels
 * @param expected the same in expectation over labels
 * @param provenance the circumstances
 */
public record GenerateReport(
    long rows,
    long clicks,
    long fileBytes,
    double seconds,
    Planted planted,
    Planted expected,
    @JsonUnwrapped Provenance provenance) {}
