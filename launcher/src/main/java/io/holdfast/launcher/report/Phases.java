package io.holdfast.launcher.report;

import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * Where workers' time went while training: seconds, summed over all workers. Phases overlap where
 * iterations do, so the sum can exceed the workers' wall time.
 *
 * @param read from lines to batches
 * @param pull from asking for rows until all are there
 * @param dense forward and backward
 * @param push from sending updates until they are applied everywhere
 * @param waiting ({@code wait}) for a lease, a step of others, or room
 */
public record Phases(
    double read, double pull, double dense, double push, @JsonProperty("wait") double waiting) {}
