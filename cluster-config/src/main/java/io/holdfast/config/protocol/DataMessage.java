package io.holdfast.config.protocol;

/** A message of the data plane. What each means is told in the schema. */
public sealed interface DataMessage
    permits DataMessage.Pull,
        DataMessage.Rows,
        DataMessage.PullShard,
        DataMessage.ShardValues,
        DataMessage.Stage,
        DataMessage.Staged,
        DataMessage.Commit,
        DataMessage.Applied,
        DataMessage.Refused,
        DataMessage.Export,
        DataMessage.ExportedRows,
        DataMessage.ExportShard,
        DataMessage.ExportedShard,
        DataMessage.Scrub,
        DataMessage.Scrubbed,
        PeerMessage {

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

  /** A server holds the whole part of {@code owner}, itself or one whose witness it is. */
  record Staged(TxId tx, int owner) implements DataMessage {}

  /** The decision, for the part of {@code owner}. */
  record Commit(TxId tx, int owner, long watermark) implements DataMessage {}

  /** The part of {@code owner}, the server itself or one for which it stands in, is applied. */
  record Applied(TxId tx, int owner) implements DataMessage {}

  /** {@code correlation}: the request's number, or the transaction's sequence. */
  record Refused(long correlation, RefusalReason reason) implements DataMessage {}

  /** A reader asks for an owner's rows that were ever updated in {@code [fromRow, toRow)}. */
  record Export(long request, int owner, long fromRow, long toRow) implements DataMessage {}

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

  /** What a {@link Scrub} looks at. */
  enum ScrubKind {
    PARITIES(1),
    NN_REPLICAS(2);

    private final int code;

    ScrubKind(int code) {
      this.code = code;
    }

    public int code() {
      return code;
    }

    static ScrubKind of(int code) throws MalformedFrameException {
      for (ScrubKind kind : values()) {
        if (kind.code == code) {
          return kind;
        }
      }
      throw new MalformedFrameException("scrub kind " + code);
    }
  }

  /**
   * A reader asks a server to compare what it keeps for others with what they have.
   *
   * @param from first parity row of the server, or first NN shard
   * @param to behind the last one
   * @param repair whether to put right what can be located
   */
  record Scrub(long request, ScrubKind kind, long from, long to, boolean repair)
      implements DataMessage {}

  /**
   * What was found.
   *
   * @param next where to go on; {@code to} of the request when all was looked at
   * @param compared stripes (with at least one row that was ever updated) or shards that were
   *     compared
   * @param rows rows of the compared stripes that were ever updated, counted by the holder of their
   *     first parity only, so that sums over all servers count each row once
   * @param wrong of the compared, that are not as they should be
   * @param located of the wrong ones, those whose wrong member is known
   * @param repaired of the located ones, those that were put right
   * @param deviation largest difference, relative to the largest value of the stripe; 0 for exact
   *     codes unless something is wrong
   * @param members int64 pairs (stripe, position) or (shard, server) of wrong ones; position and
   *     server -1 where they are not known; the first ones if there are many
   */
  record Scrubbed(
      long request,
      long next,
      long compared,
      long rows,
      long wrong,
      long located,
      long repaired,
      double deviation,
      Payload members)
      implements DataMessage {}
}
