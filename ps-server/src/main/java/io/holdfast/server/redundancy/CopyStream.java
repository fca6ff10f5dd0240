package io.holdfast.server.redundancy;

import io.holdfast.config.control.ServerControl.RangeRecord;
import io.holdfast.config.protocol.DataRange;
import io.holdfast.config.protocol.Participants;
import io.holdfast.config.protocol.Payload;
import io.holdfast.config.protocol.PeerMessage;
import io.holdfast.config.protocol.ShardVersion;
import io.holdfast.config.protocol.TxHeader;
import io.holdfast.config.protocol.TxId;
import io.holdfast.config.transport.FramePool;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;

/**
 * What a server that takes a lost one's place is given, in this server's ordinary stream to it: so
 * each piece is as of all changes before it in the stream, and of what was given, and only of that,
 * the changes follow.
 */
public final class CopyStream {
  private static final int LONGS_OF_RANGE = 7;
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;

  private final Origin origin;
  private final int to;
  private final int rowBytes;
  private final FramePool pool;
  private final int rowsPerMessage;
  private long rowsBelow;
  private boolean hasCopies;

  CopyStream(Origin origin, int to, int rowBytes, FramePool pool, int rowsPerMessage) {
    this.origin = origin;
    this.to = to;
    this.rowBytes = rowBytes;
    this.pool = pool;
    this.rowsPerMessage = rowsPerMessage;
  }

  /** Writes a row. */
  public interface RowWriter {
    /** Writes {@code rowBytes} and returns the row's update counter. */
    int write(long row, MemorySegment target, long offsetBytes);
  }

  /** Whether an own row was given: then its differences follow. */
  boolean hasRow(long row) {
    return row < rowsBelow;
  }

  /** Own rows below this one were given, those whose parities the other server is to hold. */
  public void rowsBelow(long row) {
    rowsBelow = row;
  }

  /** Whether it has copies of what it is a backup of: then gradients and records follow. */
  boolean hasCopies() {
    return hasCopies;
  }

  /** It has copies of all that it is a backup of here. */
  public void copiesGiven() {
    hasCopies = true;
  }

  /** Most rows of one message. */
  public int rowsMax() {
    return rowsPerMessage;
  }

  /** Bytes that the other server has not acknowledged. */
  public long unacknowledgedBytes() {
    return origin.unacknowledgedBytes(to);
  }

  /**
   * Gives rows.
   *
   * @param owner whose they are
   * @param ids at most {@link #rowsMax}, all with a counter of at least 1
   * @return bytes
   */
  public long rows(int owner, long[] ids, int count, RowWriter writer) {
    if (count == 0) {
      return 0;
    }
    DifferenceBlock block = DifferenceBlock.ofRows(pool, count, rowBytes);
    try {
      int[] all = new int[count];
      for (int i = 0; i < count; i++) {
        all[i] = i;
        block.ids().set(LONG, 8L * i, ids[i]);
        int counter = writer.write(ids[i], block.values(), (long) i * rowBytes);
        block.counters().set(ValueLayout.JAVA_INT_UNALIGNED, 4L * i, counter);
      }
      Payload rows = block.ids(all, 0, count);
      Payload counters = block.counters(all, 0, count);
      Payload values = block.values(all, 0, count, rowBytes);
      long length = rows.lengthBytes() + counters.lengthBytes() + values.lengthBytes();
      send(
          block,
          length,
          position -> new PeerMessage.CopiedRows(position, owner, rows, counters, values));
      return length;
    } finally {
      block.release();
    }
  }

  /**
   * Gives an NN shard.
   *
   * @param all {@code [weights | state]}
   * @return bytes
   */
  public long shard(int shard, ShardVersion version, MemorySegment all) {
    DifferenceBlock block = DifferenceBlock.ofValues(pool, all.byteSize());
    try {
      MemorySegment.copy(all, 0, block.values(), 0, all.byteSize());
      Payload values = Payload.of(block.values().asSlice(0, all.byteSize()));
      send(
          block,
          all.byteSize(),
          position -> new PeerMessage.CopiedShard(position, shard, version, values));
      return all.byteSize();
    } finally {
      block.release();
    }
  }

  /** Gives a server's record of committed data. */
  public void ranges(int owner, List<RangeRecord> records) {
    int max = Math.max(1, rowsPerMessage * rowBytes / (LONGS_OF_RANGE * Long.BYTES));
    for (int from = 0; from < records.size(); from += max) {
      int end = Math.min(records.size(), from + max);
      long[] longs = new long[(end - from) * LONGS_OF_RANGE];
      int at = 0;
      for (RangeRecord record : records.subList(from, end)) {
        DataRange range = record.range();
        longs[at++] = range.pass();
        longs[at++] = range.file();
        longs[at++] = range.from();
        longs[at++] = range.to();
        longs[at++] = range.samples();
        longs[at++] = range.skipped();
        longs[at++] = record.iterations();
      }
      Payload payload = Payload.of(MemorySegment.ofArray(longs));
      send(
          null,
          payload.lengthBytes(),
          position -> new PeerMessage.CopiedRanges(position, owner, payload));
    }
  }

  /** The records that a message holds. */
  public static List<RangeRecord> ranges(PeerMessage.CopiedRanges message) {
    MemorySegment longs = message.ranges().segment();
    RangeRecord[] records = new RangeRecord[(int) (longs.byteSize() / 8 / LONGS_OF_RANGE)];
    for (int i = 0; i < records.length; i++) {
      long at = 8L * LONGS_OF_RANGE * i;
      records[i] =
          new RangeRecord(
              new DataRange(
                  Math.toIntExact(longs.get(LONG, at)),
                  Math.toIntExact(longs.get(LONG, at + 8)),
                  longs.get(LONG, at + 16),
                  longs.get(LONG, at + 24),
                  Math.toIntExact(longs.get(LONG, at + 32)),
                  Math.toIntExact(longs.get(LONG, at + 40))),
              longs.get(LONG, at + 48));
    }
    return List.of(records);
  }

  /** Gives what of a transaction is applied at an owner. */
  public void records(
      int owner, TxId tx, long watermark, boolean ranged, long[] rows, int[] shards) {
    int max = Math.max(1, rowsPerMessage * rowBytes / Long.BYTES);
    int from = 0;
    do {
      int end = Math.min(rows.length, from + max);
      Payload some = Payload.of(MemorySegment.ofArray(Arrays.copyOfRange(rows, from, end)));
      Payload its = Payload.of(MemorySegment.ofArray(from == 0 ? shards : new int[0]));
      send(
          null,
          some.lengthBytes() + its.lengthBytes(),
          position ->
              new PeerMessage.CopiedRecords(position, owner, tx, watermark, ranged, some, its));
      from = end;
    } while (from < rows.length);
  }

  /**
   * Gives a staged part.
   *
   * @param shard negative for rows
   * @param ids int64; empty for a shard
   */
  public void stage(
      TxHeader header,
      Participants participants,
      int shard,
      MemorySegment ids,
      MemorySegment gradients) {
    DifferenceBlock block =
        DifferenceBlock.ofValues(pool, Math.max(1, ids.byteSize() + gradients.byteSize()));
    try {
      MemorySegment.copy(ids, 0, block.values(), 0, ids.byteSize());
      MemorySegment.copy(gradients, 0, block.values(), ids.byteSize(), gradients.byteSize());
      Payload rows = Payload.of(block.values().asSlice(0, ids.byteSize()));
      Payload values = Payload.of(block.values().asSlice(ids.byteSize(), gradients.byteSize()));
      send(
          block,
          ids.byteSize() + gradients.byteSize(),
          position ->
              new PeerMessage.CopiedStage(position, header, participants, shard, rows, values));
    } finally {
      block.release();
    }
  }

  /**
   * All is given.
   *
   * @param last whether this server acts for the lost one no more
   */
  public void end(boolean last) {
    send(null, 0, position -> new PeerMessage.Copied(position, last));
  }

  private void send(DifferenceBlock block, long lengthBytes, StreamItem.Copy.Message message) {
    origin.send(to, new StreamItem.Copy(origin.ordinal(), block, lengthBytes, message));
  }
}
