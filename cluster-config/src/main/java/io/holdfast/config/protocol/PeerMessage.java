package io.holdfast.config.protocol;

/**
 * What servers tell one another to keep the model redundant. An <em>origin</em> owns rows, NN
 * shards and records of committed data; a <em>holder</em> keeps parities of its rows, or copies of
 * its shards and records.
 */
public sealed interface PeerMessage extends DataMessage {

  /**
   * An item of the stream from an origin to a holder. The holder takes items in the order of their
   * numbers, each exactly once; the origin keeps them until they are acknowledged.
   */
  sealed interface StreamItem extends PeerMessage {
    StreamPosition position();
  }

  /**
   * Differences of rows that one transaction has updated and whose parities the holder keeps.
   *
   * @param watermark of the transaction's worker: records up to it may be forgotten
   * @param packed whether {@code values} are packed
   * @param rows int64 ids
   * @param counters int32: update counter of each row after the update
   * @param values {@code [count, rowFloats]} differences of {@code [weights | state]}, raw or
   *     packed
   */
  record Deltas(
      StreamPosition position,
      TxId tx,
      long watermark,
      boolean packed,
      Payload rows,
      Payload counters,
      Payload values)
      implements StreamItem {
    public int count() {
      return (int) (rows.lengthBytes() / Long.BYTES);
    }
  }

  /**
   * A gradient that the primary of an NN shard has applied.
   *
   * @param version that the shard has after it
   * @param gradients one float for each of the shard's parameters
   */
  record ForwardShard(
      StreamPosition position,
      TxId tx,
      long watermark,
      int shard,
      ShardVersion version,
      float learningRate,
      Payload gradients)
      implements StreamItem {}

  /**
   * Data that a transaction learned from, recorded by the origin.
   *
   * @param watermark of the transaction's worker
   */
  record ForwardRange(StreamPosition position, TxId tx, long watermark, DataRange range)
      implements StreamItem {}

  /**
   * Answers {@link CaptureRows}: the rows as they were after all differences that precede this
   * item.
   *
   * @param rows int64: those of the request that were ever updated, in its order
   * @param counters int32
   * @param values {@code [count, rowFloats]}: what has changed since the initial row, as the code
   *     makes differences
   */
  record CapturedRows(
      StreamPosition position, long request, Payload rows, Payload counters, Payload values)
      implements StreamItem {}

  /** Answers {@link CaptureShard}; {@code digest} is over {@code [weights | state]}. */
  record CapturedShard(
      StreamPosition position, long request, int shard, ShardVersion version, long digest)
      implements StreamItem {}

  /** To a server that takes a lost one's place: what it is to have. */
  sealed interface CopyItem extends StreamItem {}

  /**
   * Rows as they are after all items that precede this one.
   *
   * @param owner whose rows they are: the sender, or the lost server for which it stands in
   * @param rows int64
   * @param counters int32
   * @param values {@code [count, rowFloats]}: of the receiver's own rows {@code [weights | state]};
   *     of others, whose parities it is to hold, what has changed since the initial row
   */
  record CopiedRows(
      StreamPosition position, int owner, Payload rows, Payload counters, Payload values)
      implements CopyItem {
    public int count() {
      return (int) (rows.lengthBytes() / Long.BYTES);
    }
  }

  /** An NN shard, {@code [weights | state]}. */
  record CopiedShard(StreamPosition position, int shard, ShardVersion version, Payload values)
      implements CopyItem {}

  /**
   * What a server has recorded of committed data.
   *
   * @param owner whose record it is
   * @param ranges seven int64 each: pass, file, from, to, samples, skipped, iterations
   */
  record CopiedRanges(StreamPosition position, int owner, Payload ranges) implements CopyItem {}

  /**
   * What of a transaction is applied at an owner.
   *
   * @param watermark of the transaction's worker
   * @param ranged whether the owner has recorded what the transaction learned from
   * @param rows int64
   * @param shards int32
   */
  record CopiedRecords(
      StreamPosition position,
      int owner,
      TxId tx,
      long watermark,
      boolean ranged,
      Payload rows,
      Payload shards)
      implements CopyItem {}

  /**
   * A part that is staged at a stand-in and not applied.
   *
   * @param shard negative for rows
   * @param rows int64
   */
  record CopiedStage(
      StreamPosition position,
      TxHeader header,
      Participants participants,
      int shard,
      Payload rows,
      Payload gradients)
      implements CopyItem {}

  /**
   * All is sent.
   *
   * @param last whether the sender has stopped to act for the lost server
   */
  record Copied(StreamPosition position, boolean last) implements CopyItem {}

  /**
   * From a holder.
   *
   * @param number all items up to this one are folded
   * @param gap whether a later one came: send again from here
   */
  record StreamAck(long number, boolean gap) implements PeerMessage {}

  /** From a holder: int64 ids of the origin's rows. Answered in the stream. */
  record CaptureRows(long request, Payload rows) implements PeerMessage {}

  /** From a backup. Answered in the stream. */
  record CaptureShard(long request, int shard) implements PeerMessage {}

  /** From one holder of some stripes to another: int64 stripe numbers. */
  record CaptureParities(long request, Payload stripes) implements PeerMessage {}

  /**
   * Parities as they are now.
   *
   * @param stripes int64
   * @param counters int32 {@code [count, k]}
   * @param values {@code [count, rowFloats]}
   */
  record CapturedParities(long request, Payload stripes, Payload counters, Payload values)
      implements PeerMessage {}

  /**
   * From a holder that has found rows to be wrong, to their owner.
   *
   * @param rows int64
   * @param counters int32 {@code [count, 2]}: that the row had when it was found wrong, and the
   *     right one
   * @param values {@code [count, rowFloats]}: what should have changed since the initial row: taken
   *     twice it does no harm
   */
  record RepairRows(Payload rows, Payload counters, Payload values) implements PeerMessage {}
}
