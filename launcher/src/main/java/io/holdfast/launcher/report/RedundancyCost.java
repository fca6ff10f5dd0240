package io.holdfast.launcher.report;

import io.holdfast.config.control.RedundancyStatistics;

/**
 * What redundancy cost and found while training, over all servers.
 *
 * @param unacknowledgedBytesPeak most bytes that waited for other servers, summed over servers
 * @param unacknowledgedSecondsMax longest that something waited for another server
 * @param recordsBytesPeak most memory of records what is folded where, summed over servers
 * @param tailBytesPeak most memory of differences that not all holders have, summed over servers
 * @param witnessBytesPeak most memory of parts kept for other servers, summed over servers
 * @param scrubbedStripes compared with their parity in the background
 * @param scrubWrong of them and of NN shards, those that did not fit
 * @param scrubRepaired of these, those that were put right
 */
public record RedundancyCost(
    long unacknowledgedBytesPeak,
    double unacknowledgedSecondsMax,
    long recordsBytesPeak,
    long tailBytesPeak,
    long witnessBytesPeak,
    long scrubbedStripes,
    long scrubWrong,
    long scrubRepaired) {
  /** As reports tell it. */
  public static RedundancyCost of(RedundancyStatistics all) {
    return new RedundancyCost(
        all.unacknowledgedBytesPeak(),
        all.unacknowledgedNanosMax() / 1e9,
        all.recordsBytesPeak(),
        all.tailBytesPeak(),
        all.witnessBytesPeak(),
        all.scrubbedStripes(),
        all.scrubWrong(),
        all.scrubRepaired());
  }
}
