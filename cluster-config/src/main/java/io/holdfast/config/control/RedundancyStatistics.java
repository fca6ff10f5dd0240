package io.holdfast.config.control;

/**
 * What a server's redundancy came to since it started.
 *
 * @param deltaBytes sent to other servers: differences of rows, records of data, acknowledgements
 * @param nnReplicaBytes sent to other servers: gradients of NN shards
 * @param unacknowledgedBytesPeak most bytes that waited for other servers at once
 * @param unacknowledgedNanosMax longest that something waited for another server
 * @param scrubbedStripes stripes that were compared with their parity here, in the background or
 *     when asked; NN shards not counted
 * @param scrubWrong stripes and NN shards that were found wrong, each time that they were
 * @param scrubRepaired of them, those that were put right
 * @param recordsBytesPeak most memory of records which differences of which transaction are folded
 * @param tailBytesPeak most memory of differences that are kept because not all holders have them
 * @param witnessBytesPeak most memory of parts that are kept for other servers
 * @param decodedRows rows of lost servers that were decoded here
 */
public record RedundancyStatistics(
    long deltaBytes,
    long nnReplicaBytes,
    long unacknowledgedBytesPeak,
    long unacknowledgedNanosMax,
    long scrubbedStripes,
    long scrubWrong,
    long scrubRepaired,
    long recordsBytesPeak,
    long tailBytesPeak,
    long witnessBytesPeak,
    long decodedRows) {
  /** Of a server without redundancy. */
  public static final RedundancyStatistics NONE =
      new RedundancyStatistics(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

  /** Of two servers together: sums; the longest wait is the longer one. */
  public RedundancyStatistics plus(RedundancyStatistics other) {
    return new RedundancyStatistics(
        deltaBytes + other.deltaBytes,
        nnReplicaBytes + other.nnReplicaBytes,
        unacknowledgedBytesPeak + other.unacknowledgedBytesPeak,
        Math.max(unacknowledgedNanosMax, other.unacknowledgedNanosMax),
        scrubbedStripes + other.scrubbedStripes,
        scrubWrong + other.scrubWrong,
        scrubRepaired + other.scrubRepaired,
        recordsBytesPeak + other.recordsBytesPeak,
        tailBytesPeak + other.tailBytesPeak,
        witnessBytesPeak + other.witnessBytesPeak,
        decodedRows + other.decodedRows);
  }
}
