package io.holdfast.launcher.report;

/**
 * Bytes that went over the data plane while training, frames' headers included, over all nodes.
 *
 * @param pull answers to workers' reads
 * @param push updates from workers to servers
 * @param delta differences from servers to parity holders
 * @param nnReplica updates from primaries to backups of dense shards
 */
public record Bytes(long pull, long push, long delta, long nnReplica) {}
