package io.holdfast.launcher.report;

/**
 * Bytes of memory that all servers together have touched.
 *
 * @param tables rows and dense shards with their optimizer state
 * @param redundancy parities and replicas
 * @param stagedPeak most that parts of undecided transactions took, summed over servers
 */
public record Memory(long tables, long redundancy, long stagedPeak) {}
