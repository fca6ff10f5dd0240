package io.holdfast.config.protocol;

/** A message of the data plane. What each means is told in the schema. */
public sealed interface DataMessage {

  /** A worker or reader asks. */
  record Pull(long request, Payload rows) implements DataMessage {
    public int count() {
      return (int) (rows.lengthBytes() / Long.BYTES);
    }
  }

  /** {@code values}: {@code [count, dim]} floats in the order of the request. */
  record Rows(long request, Payload values) implements DataMessage {}

  /** A worker or reader asks for an NN shard. */
  record PullShard(long request, int shard, ShardVersion known) implements DataMessage {}

  /** {@code values}: the shard's floats, or nothing if {@code known} was the newest version. */
  record ShardValues(long request, int shard, ShardVersion version, Payload values)
      implements DataMessage {}

  /** {@code rows}: int64 ids without repetition; {@code gradients}: {@code [count, dim]} floats. */
  record StageRows(TxHeader header, Participants participants, Payload rows, Payload gradients)
      implements Stage {
    public int count() {
      return (int) (rows.lengthBytes() / Long.BYTES);
    }
  }

  /** {@code gradients}: one float for each of the shard's parameters. */
  record StageShard(TxHeader header, Participants participants, int shard, Payload gradients)
      implements Stage {}

  /** Either kind of Stage message. */
  sealed interface Stage extends DataMessage {
    TxHeader header();

    Participants participants();
  }

  /** A server holds its whole part. */
  record Staged(TxId tx) implements DataMessage {}

  /** The decision. */
  record Commit(TxId tx, long watermark) implements DataMessage {}

  /** A server's part is applied and redundant. */
  record Applied(TxId tx) implements DataMessage {}

  /** {@code correlation}: the request's number, or the transaction's sequence. */
  record Refused(long correlation, RefusalReason reason) implements DataMessage {}

  /** A reader asks for rows that were ever updated in {@code [fromRow, toRow)}. */
  record Export(long request, long fromRow, long toRow) implements DataMessage {}

  /**
   * Rows in increasing order.
   *
   * @param nextRow where to go on; {@code toRow} of the request when all were sent
   * @param rows int64 ids
   * @param counters int32 update counters
   * @param values {@code [count, rowFloats]}: {@code [weights | state]}
   */
  record ExportedRows(long request, long nextRow, Payload rows, Payload counters, Payload values)
      implements DataMessage {}

  /** A reader asks for a whole NN shard. */
  record ExportShard(long request, int shard) implements DataMessage {}

  /** {@code values}: {@code [weights | state]}. */
  record ExportedShard(long request, int shard, long updates, Payload values)
      implements DataMessage {}
}
