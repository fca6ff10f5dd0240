package io.holdfast.server.redundancy;

import io.holdfast.config.control.ServerControl.RangeRecord;
import io.holdfast.config.placement.Backups;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.protocol.DataRange;
import io.holdfast.config.protocol.Outbox;
import io.holdfast.config.protocol.PeerMessage;
import io.holdfast.config.protocol.RefusalReason;
import io.holdfast.config.protocol.TxId;
import io.holdfast.config.transport.Frame;
import io.holdfast.config.transport.FramePool;
import io.holdfast.erasure.DeltaPacking;
import io.holdfast.server.storage.NnStore;
import io.holdfast.server.storage.ParityStore;
import io.holdfast.server.storage.RefusedException;
import io.holdfast.server.transaction.RangeLedger;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.zip.DataFormatException;

/**
 * Takes what other servers have changed: differences into parities, gradients into copies of NN
 * shards, records of data into copies of ledgers. Each stream's items are taken in the order of
 * their numbers, exactly once, each in one step with its records (hazard 3); older ones are
 * acknowledged again, newer ones dropped and the gap told. Acknowledgements are cumulative and go
 * out on {@link #flush}, one for each stream, however many items came.
 */
public final class Holder implements AutoCloseable {
  private final int self;
  private final int servers;
  private final int ledgerCopies;
  private final ParityStore parities;
  private final NnStore nn;
  private final Listener listener;
  private final FoldRecords records = new FoldRecords();

  /** Without a bound of its own: what is folded must be kept, the origins' windows bound it. */
  private final FramePool pool = new FramePool(Long.MAX_VALUE);

  private final InStream[] streams;
  private final DeltaPacking packing = new DeltaPacking();
  private Frame scratch;
  private long tailBytesPeak;

  /** Hears of items once they are taken. */
  public interface Listener {
    /**
     * Differences are folded.
     *
     * @param values {@code [count, rowFloats]}, raw
     */
    void folded(NodeId origin, PeerMessage.Deltas deltas, MemorySegment values);

    void captured(NodeId origin, PeerMessage.CapturedRows rows);

    void captured(NodeId origin, PeerMessage.CapturedShard shard);

    /** For a server that takes a lost one's place. */
    void copied(NodeId origin, PeerMessage.CopyItem item) throws RefusedException;
  }

  /** Sees single differences. */
  public interface DeltaVisitor {
    void delta(long row, int counter, MemorySegment difference);
  }

  private static final class InStream {
    RangeLedger ledger = new RangeLedger();
    DeltaTail tail;
    long taken;
    boolean mustAcknowledge;
    boolean gap;
  }

  /**
   * Nothing has come yet.
   *
   * @param ledgerCopies how many backups a server's ledger has: r
   * @param parities that this server holds
   */
  public Holder(
      int self,
      int servers,
      int ledgerCopies,
      ParityStore parities,
      NnStore nn,
      Listener listener) {
    this.self = self;
    this.servers = servers;
    this.ledgerCopies = ledgerCopies;
    this.parities = parities;
    this.nn = nn;
    this.listener = listener;
    streams = new InStream[servers];
    for (int server = 0; server < servers; server++) {
      streams[server] = new InStream();
      // With one parity nobody else could lack what came here.
      streams[server].tail = ledgerCopies > 1 ? new DeltaTail(pool) : null;
    }
  }

  /**
   * An item of a server's stream.
   *
   * @throws RefusedException if it cannot be taken: a defect of the sender; the stream stands
   * @throws IllegalStateException if values are wrong somewhere
   */
  public void onItem(NodeId origin, PeerMessage.StreamItem item) throws RefusedException {
    InStream stream = streams[origin.index()];
    long number = item.position().number();
    stream.mustAcknowledge = true;
    if (number <= stream.taken) {
      return;
    }
    if (number > stream.taken + 1) {
      stream.gap = true;
      return;
    }
    take(origin, stream, item);
    stream.taken = number;
    stream.gap = false;
    if (stream.tail != null) {
      stream.tail.stable(item.position().stable());
    }
  }

  private void take(NodeId origin, InStream stream, PeerMessage.StreamItem item)
      throws RefusedException {
    switch (item) {
      case PeerMessage.Deltas m -> {
        check(m.tx(), m.watermark());
        fold(origin, stream, m);
      }
      case PeerMessage.ForwardShard m -> {
        check(m.tx(), m.watermark());
        nn.applyToReplica(
            origin.index(), m.shard(), m.version(), m.gradients().segment(), m.learningRate());
        records.shard(m.tx(), m.watermark(), m.shard());
      }
      case PeerMessage.ForwardRange m -> {
        check(m.tx(), m.watermark());
        check(m.tx(), m.range());
        if (!Backups.isBackup(self, origin.index(), ledgerCopies, servers)) {
          throw new RefusedException(
              RefusalReason.NOT_OWNER, "no copy of the ledger of " + origin + " is here");
        }
        stream.ledger.add(m.range());
        records.range(m.tx(), m.watermark());
      }
      case PeerMessage.CapturedRows m -> listener.captured(origin, m);
      case PeerMessage.CapturedShard m -> listener.captured(origin, m);
      case PeerMessage.CopyItem m -> listener.copied(origin, m);
    }
  }

  /** A watermark that covers what is only being applied would forget records too early. */
  private static void check(TxId tx, long watermark) throws RefusedException {
    if (tx.worker().role() != NodeId.Role.WORKER
        || tx.sequence() < 1
        || watermark < 0
        || watermark >= tx.sequence()) {
      throw new RefusedException(
          RefusalReason.MALFORMED, tx + " is applied under the watermark " + watermark);
    }
  }

  private static void check(TxId tx, DataRange range) throws RefusedException {
    if (range.from() > range.to() || range.samples() < 0 || range.skipped() < 0) {
      throw new RefusedException(RefusalReason.MALFORMED, tx + ": " + range);
    }
  }

  private void fold(NodeId origin, InStream stream, PeerMessage.Deltas deltas)
      throws RefusedException {
    int count = deltas.count();
    int rowBytes = parities.layout().rowBytes();
    if (count > DifferenceBlock.rowsMax(rowBytes)) {
      throw new RefusedException(RefusalReason.MALFORMED, count + " rows in one message");
    }
    MemorySegment values =
        deltas.packed() ? unpacked(deltas.values().segment(), count) : deltas.values().segment();
    if (deltas.counters().lengthBytes() != 4L * count
        || values.byteSize() != (long) count * rowBytes) {
      throw new RefusedException(
          RefusalReason.MALFORMED,
          "%d rows, %d bytes of counters, %d bytes of differences of %d each"
              .formatted(count, deltas.counters().lengthBytes(), values.byteSize(), rowBytes));
    }
    MemorySegment ids = deltas.rows().segment();
    parities.fold(origin.index(), ids, deltas.counters().segment(), values, count);
    records.rows(deltas.tx(), deltas.watermark(), ids, count);
    if (stream.tail != null && count > 0) {
      stream.tail.add(deltas, values);
      tailBytesPeak = Math.max(tailBytesPeak, tailBytes());
    }
    listener.folded(origin, deltas, values);
  }

  private MemorySegment unpacked(MemorySegment packed, int count) throws RefusedException {
    long length = (long) count * parities.layout().rowBytes();
    if (scratch == null || scratch.capacityBytes() < length) {
      if (scratch != null) {
        pool.recycle(scratch);
      }
      scratch = pool.take((int) length);
    }
    MemorySegment values = scratch.segment().asSlice(0, length);
    try {
      packing.unpack(packed, 0, (int) packed.byteSize(), values, 0, (int) (length / Float.BYTES));
    } catch (DataFormatException e) {
      throw new RefusedException(RefusalReason.MALFORMED, e.getMessage());
    }
    return values;
  }

  /** Another process is at this server's place, or this one begins anew: so does its stream. */
  public void restart(int origin) {
    InStream stream = streams[origin];
    stream.taken = 0;
    stream.gap = false;
    stream.mustAcknowledge = false;
    stream.ledger = new RangeLedger();
    if (stream.tail != null) {
      stream.tail.stable(Long.MAX_VALUE);
    }
  }

  /** Sets the copy of a server's record of committed data. */
  public void ledger(int origin, List<RangeRecord> records) {
    RangeLedger ledger = new RangeLedger();
    records.forEach(ledger::add);
    streams[origin].ledger = ledger;
  }

  /** Acknowledges what has come since the last time. */
  public void flush(Outbox outbox) {
    for (int server = 0; server < servers; server++) {
      InStream stream = streams[server];
      if (stream.mustAcknowledge) {
        stream.mustAcknowledge = false;
        outbox.send(NodeId.server(server), new PeerMessage.StreamAck(stream.taken, stream.gap));
      }
    }
  }

  /** Which (transaction, row) is folded here. */
  public FoldRecords records() {
    return records;
  }

  /** The copy of a server's record of committed data. */
  public List<RangeRecord> ledger(int origin) {
    return streams[origin].ledger.records();
  }

  /** Differences of an origin that other holders may lack, in the order of folding. */
  public void tail(int origin, DeltaVisitor visitor) {
    if (streams[origin].tail != null) {
      streams[origin].tail.visit(visitor, parities.layout().rowBytes());
    }
  }

  /** Memory of all tails. */
  public long tailBytes() {
    long bytes = 0;
    for (InStream stream : streams) {
      bytes += stream.tail == null ? 0 : stream.tail.bytes();
    }
    return bytes;
  }

  /** Most memory that tails ever took. */
  public long tailBytesPeak() {
    return tailBytesPeak;
  }

  @Override
  public void close() {
    for (InStream stream : streams) {
      if (stream.tail != null) {
        stream.tail.close();
      }
    }
    if (scratch != null) {
      pool.recycle(scratch);
    }
    pool.close();
  }
}
