package io.holdfast.server.redundancy;

import io.holdfast.config.protocol.DataRange;
import io.holdfast.config.protocol.Payload;
import io.holdfast.config.protocol.PeerMessage;
import io.holdfast.config.protocol.ShardVersion;
import io.holdfast.config.protocol.StreamPosition;

/** Something in a stream, kept in such a form that it can be sent again. */
abstract sealed class StreamItem {
  /** About what an item costs beside its values. */
  private static final int OVERHEAD_BYTES = 128;

  /** Whose part it is; null if it belongs to no transaction. */
  final AppliedTransaction transaction;

  final long ordinal;
  long number;
  long sinceNanos;

  StreamItem(AppliedTransaction transaction, long ordinal) {
    this.transaction = transaction;
    this.ordinal = ordinal;
  }

  abstract PeerMessage.StreamItem message(StreamPosition position);

  /** What it holds in memory. */
  long bytes() {
    return OVERHEAD_BYTES;
  }

  /** Gives its memory back. */
  void release() {}

  /** Differences of some of a transaction's rows. */
  static final class Deltas extends StreamItem {
    private final DifferenceBlock keysBlock;
    private final DifferenceBlock valuesBlock;
    private final Payload rows;
    private final Payload counters;
    private final Payload values;
    private final boolean packed;

    Deltas(
        AppliedTransaction transaction,
        DifferenceBlock keysBlock,
        DifferenceBlock valuesBlock,
        Payload rows,
        Payload counters,
        Payload values,
        boolean packed) {
      super(transaction, transaction.ordinal);
      this.keysBlock = keysBlock.retain();
      this.valuesBlock = valuesBlock.retain();
      this.rows = rows;
      this.counters = counters;
      this.values = values;
      this.packed = packed;
    }

    @Override
    PeerMessage.StreamItem message(StreamPosition position) {
      return new PeerMessage.Deltas(
          position, transaction.tx, transaction.watermark, packed, rows, counters, values);
    }

    @Override
    long bytes() {
      return super.bytes() + rows.lengthBytes() + counters.lengthBytes() + values.lengthBytes();
    }

    @Override
    void release() {
      keysBlock.release();
      valuesBlock.release();
    }
  }

  /** A gradient of an NN shard. */
  static final class Gradient extends StreamItem {
    private final DifferenceBlock block;
    private final int shard;
    private final ShardVersion version;
    private final float learningRate;
    private final Payload gradients;

    Gradient(
        AppliedTransaction transaction,
        DifferenceBlock block,
        int shard,
        ShardVersion version,
        float learningRate,
        Payload gradients) {
      super(transaction, transaction.ordinal);
      this.block = block.retain();
      this.shard = shard;
      this.version = version;
      this.learningRate = learningRate;
      this.gradients = gradients;
    }

    @Override
    PeerMessage.StreamItem message(StreamPosition position) {
      return new PeerMessage.ForwardShard(
          position, transaction.tx, transaction.watermark, shard, version, learningRate, gradients);
    }

    @Override
    long bytes() {
      return super.bytes() + gradients.lengthBytes();
    }

    @Override
    void release() {
      block.release();
    }
  }

  /** A record of committed data. */
  static final class Range extends StreamItem {
    private final DataRange range;

    Range(AppliedTransaction transaction, DataRange range) {
      super(transaction, transaction.ordinal);
      this.range = range;
    }

    @Override
    PeerMessage.StreamItem message(StreamPosition position) {
      return new PeerMessage.ForwardRange(position, transaction.tx, transaction.watermark, range);
    }
  }

  /** Rows as they were when the item was made. */
  static final class Rows extends StreamItem {
    private final DifferenceBlock block;
    private final long request;
    private final Payload rows;
    private final Payload counters;
    private final Payload values;

    Rows(
        long ordinal,
        DifferenceBlock block,
        long request,
        Payload rows,
        Payload counters,
        Payload values) {
      super(null, ordinal);
      this.block = block.retain();
      this.request = request;
      this.rows = rows;
      this.counters = counters;
      this.values = values;
    }

    @Override
    PeerMessage.StreamItem message(StreamPosition position) {
      return new PeerMessage.CapturedRows(position, request, rows, counters, values);
    }

    @Override
    long bytes() {
      return super.bytes() + rows.lengthBytes() + counters.lengthBytes() + values.lengthBytes();
    }

    @Override
    void release() {
      block.release();
    }
  }

  /** For a server that takes a lost one's place. */
  static final class Copy extends StreamItem {
    /** Makes the message; what it points to must not change. */
    interface Message {
      PeerMessage.CopyItem at(StreamPosition position);
    }

    private final DifferenceBlock block;
    private final long lengthBytes;
    private final Message message;

    /**
     * An item.
     *
     * @param block that holds its values; null if none does
     */
    Copy(long ordinal, DifferenceBlock block, long lengthBytes, Message message) {
      super(null, ordinal);
      this.block = block == null ? null : block.retain();
      this.lengthBytes = lengthBytes;
      this.message = message;
    }

    @Override
    PeerMessage.StreamItem message(StreamPosition position) {
      return message.at(position);
    }

    @Override
    long bytes() {
      return super.bytes() + lengthBytes;
    }

    @Override
    void release() {
      if (block != null) {
        block.release();
      }
    }
  }

  /** Version and digest of an NN shard when the item was made. */
  static final class Shard extends StreamItem {
    private final long request;
    private final int shard;
    private final ShardVersion version;
    private final long digest;

    Shard(long ordinal, long request, int shard, ShardVersion version, long digest) {
      super(null, ordinal);
      this.request = request;
      this.shard = shard;
      this.version = version;
      this.digest = digest;
    }

    @Override
    PeerMessage.StreamItem message(StreamPosition position) {
      return new PeerMessage.CapturedShard(position, request, shard, version, digest);
    }
  }
}
