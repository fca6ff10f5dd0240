package io.holdfast.launcher.report;

import com.fasterxml.jackson.annotation.JsonUnwrapped;
import java.util.Optional;

/**
 * The report of {@code verify}.
 *
 * @param verify of a running cluster
 * @param model of a saved model
 * @param provenance the circumstances
 */
public record VerifyReport(
    Optional<VerifyResult> verify,
    Optional<ModelVerifyResult> model,
    @JsonUnwrapped Provenance provenance) {}
