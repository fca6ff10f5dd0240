package io.holdfast.launcher.job;

import io.holdfast.config.settings.LaunchSettings;

/**
 * A running cluster to verify.
 *
 * @param launch where the cluster is
 * @param ownTransport true: the data link is opened as {@code launch} says; false: as the job does
 * @param repair whether what can be located is put right
 * @param rowsPerSecond most parity rows in a second; 0: no limit
 */
public record VerifyRequest(
    LaunchSettings launch, boolean ownTransport, boolean repair, long rowsPerSecond) {}
