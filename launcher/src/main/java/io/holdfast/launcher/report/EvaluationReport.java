package io.holdfast.launcher.report;

import com.fasterxml.jackson.annotation.JsonUnwrapped;

/** The report of {@code eval}: what it came to, and the circumstances. */
public record EvaluationReport(
    @JsonUnwrapped EvaluationResult result, @JsonUnwrapped Provenance provenance) {}
