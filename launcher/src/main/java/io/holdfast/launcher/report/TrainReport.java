package io.holdfast.launcher.report;

import com.fasterxml.jackson.annotation.JsonUnwrapped;
import java.util.Optional;

/**
 * The report of {@code train}.
 *
 * @param result what it came to
 * @param planted the best that can be reached, where the data is synthetic and that is known
 * @param provenance the circumstances
 */
public record TrainReport(
    @JsonUnwrapped TrainResult result,
    Optional<Planted> planted,
    @JsonUnwrapped Provenance provenance) {}
