package io.holdfast.benchmarks;

import com.fasterxml.jackson.annotation.JsonUnwrapped;
import java.util.Map;

/**
 * A figure, or a ratio of two figures of one run.
 *
 * @param name what was measured
 * @param parameters under which conditions, by name
 * @param unit of the values
 * @param values of the rounds
 */
record Measurement(
    String name, Map<String, Object> parameters, String unit, @JsonUnwrapped Spread values) {}
