package io.holdfast.server.redundancy;

import io.holdfast.config.job.JobSpec;
import io.holdfast.config.job.Packing;
import io.holdfast.config.job.Redundancy;
import io.holdfast.config.job.StandIns;
import io.holdfast.config.placement.Backups;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.placement.StripeMap;
import io.holdfast.config.protocol.DataRange;
import io.holdfast.config.protocol.Outbox;
import io.holdfast.config.protocol.Payload;
import io.holdfast.config.protocol.RefusalReason;
import io.holdfast.config.protocol.ShardVersion;
import io.holdfast.config.protocol.TxHeader;
import io.holdfast.config.transport.FramePool;
import io.holdfast.erasure.DeltaPacking;
import io.holdfast.erasure.ErasureCode;
import io.holdfast.server.storage.NnStore;
import io.holdfast.server.storage.RefusedException;
import io.holdfast.server.storage.RowStore;
import io.holdfast.server.transaction.Applier;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.Arrays;

/**
 * Applies transactions and sends what they change to whoever keeps it redundant.
 *
 * <p>A transaction's items are made and numbered within the step that applies it, for every holder:
 * so each holder sees this server's changes in the order in which they were made. The transaction
 * is redundant once all its items are acknowledged.
 *
 * <p>Differences are made once, however many parities a row has, and go out raw: multiplying is the
 * holder's work (hazard 9).
 */
public final class Origin implements Applier, AutoCloseable {
  /** More than what a message has beside rows, counters and values. */
  private static final int MESSAGE_OVERHEAD_BYTES = 256;

  private static final int NOBODY = -1;
  private static final ValueLayout.OfLong ID = ValueLayout.JAVA_LONG_UNALIGNED;

  private final int self;
  private final int servers;
  private final RowStore rows;
  private final NnStore nn;
  private final StripeMap map;
  private final Redundancy redundancy;
  private final ErasureCode code;
  private final Outbox outbox;
  private final Listener listener;
  private final long retryNanos;
  private final int rowsPerMessage;
  private final int rowsPerBlock;

  /** Without a bound of its own: commits are never held up, {@link #isPressed} bounds it. */
  private final FramePool pool = new FramePool(Long.MAX_VALUE);

  /** By server; null where nothing was sent yet. */
  private final OutStream[] streams;

  /**
   * Applied here and not redundant, oldest first; those that are redundant before older ones stay.
   */
  private final ArrayDeque<AppliedTransaction> pending = new ArrayDeque<>();

  private final int[] counts;
  private final int[] starts;
  private final PackingPolicy[] policies;
  private final DeltaPacking packing = new DeltaPacking();
  private int[] holders = new int[256];
  private long deltaBytesRaw;
  private long deltaBytesSent;
  private long ordinal;
  private long bytes;
  private long bytesPeak;

  /** Of all items of transactions that are not below {@link #stable}. */
  private long unstableBytes;

  private long oldestNanosMax;
  private long nowNanos;
  private AppliedTransaction current;
  private StandIns standIns;

  /** By server that takes a lost one's place: what it was given already; else null. */
  private final CopyStream[] copies;

  /** Which (transaction, row) was applied here, for a server that takes a holder's place. */
  private final FoldRecords records = new FoldRecords();

  private float learningRate;

  /**
   * Nothing is applied yet.
   *
   * @param code of the parities; null without redundancy
   * @param listener hears, within {@link #onAck}, of transactions that have become redundant
   */
  public Origin(
      int self,
      JobSpec job,
      RowStore rows,
      NnStore nn,
      ErasureCode code,
      Outbox outbox,
      Listener listener) {
    this.self = self;
    this.servers = job.servers();
    this.rows = rows;
    this.nn = nn;
    this.map = job.stripeMap();
    this.redundancy = job.redundancy();
    this.code = code;
    this.outbox = outbox;
    this.listener = listener;
    this.retryNanos = job.retryNanos();
    this.rowsPerMessage =
        Math.max(
            1,
            (job.messageBytesMax() - MESSAGE_OVERHEAD_BYTES)
                / (Long.BYTES + Integer.BYTES + rows.layout().rowBytes()));
    this.rowsPerBlock = DifferenceBlock.rowsMax(rows.layout().rowBytes());
    this.streams = new OutStream[servers];
    this.copies = new CopyStream[servers];
    this.standIns = StandIns.none(job);
    this.policies = new PackingPolicy[servers];
    this.counts = new int[servers];
    this.starts = new int[servers + 1];
  }

  /** What time it is; to be told before anything else happens. */
  public void at(long nowNanos) {
    this.nowNanos = nowNanos;
  }

  // Applying.

  @Override
  public void begin(TxHeader header, long watermark) {
    current = new AppliedTransaction(header.tx(), watermark, ++ordinal);
    learningRate = header.learningRate();
  }

  @Override
  public void rows(MemorySegment ids, int count, MemorySegment gradients) throws RefusedException {
    if (code == null) {
      rows.apply(ids, count, gradients, learningRate);
      return;
    }
    // A part's differences have optimizer state too: they can be longer than any message.
    int weightBytes = rows.layout().weightBytes();
    for (int from = 0; from < count; from += rowsPerBlock) {
      int some = Math.min(rowsPerBlock, count - from);
      applyAndSend(
          ids.asSlice(8L * from, 8L * some),
          some,
          gradients.asSlice((long) from * weightBytes, (long) some * weightBytes));
    }
  }

  private void applyAndSend(MemorySegment ids, int count, MemorySegment gradients)
      throws RefusedException {
    // Apart, so that packed items do not keep the raw values.
    DifferenceBlock keys = DifferenceBlock.ofRows(pool, count, 0);
    DifferenceBlock values =
        DifferenceBlock.ofValues(pool, (long) count * rows.layout().rowBytes());
    try {
      rows.apply(ids, count, gradients, learningRate, code, values.values(), keys.counters());
      MemorySegment.copy(ids, 0, keys.ids(), 0, 8L * count);
      records.rows(current.tx, current.watermark, ids, count);
      sendToHolders(keys, values, count);
    } finally {
      keys.release();
      values.release();
    }
  }

  /** Sorts rows by holder (counting sort) and gives each its share, in the rows' order. */
  private void sendToHolders(DifferenceBlock keys, DifferenceBlock values, int count) {
    int r = map.r();
    int k = map.k();
    if (holders.length < count * r) {
      holders = new int[Math.max(count * r, 2 * holders.length)];
    }
    Arrays.fill(counts, 0);
    MemorySegment ids = keys.ids();
    for (int i = 0; i < count; i++) {
      long row = ids.get(ID, 8L * i);
      long stripe = row / k;
      for (int parity = 0; parity < r; parity++) {
        int holder = map.serverOf(stripe, k + parity);
        // A holder that has not got the row yet gets it as it will be then.
        boolean later = copies[holder] != null && !copies[holder].hasRow(row);
        holders[i * r + parity] = later ? NOBODY : holder;
        if (!later) {
          counts[holder]++;
        }
      }
    }
    for (int server = 0; server < servers; server++) {
      starts[server + 1] = starts[server] + counts[server];
      counts[server] = starts[server];
    }
    int[] chosen = new int[count * r];
    for (int i = 0; i < count; i++) {
      for (int parity = 0; parity < r; parity++) {
        int holder = holders[i * r + parity];
        if (holder != NOBODY) {
          chosen[counts[holder]++] = i;
        }
      }
    }
    for (int server = 0; server < servers; server++) {
      for (int from = starts[server]; from < starts[server + 1]; from += rowsPerMessage) {
        int to = Math.min(starts[server + 1], from + rowsPerMessage);
        sendDeltas(server, keys, values, chosen, from, to);
      }
    }
  }

  private void sendDeltas(
      int holder, DifferenceBlock keys, DifferenceBlock values, int[] chosen, int from, int to) {
    Payload ids = keys.ids(chosen, from, to);
    Payload counters = keys.counters(chosen, from, to);
    Payload raw = values.values(chosen, from, to, rows.layout().rowBytes());
    deltaBytesRaw += raw.lengthBytes();
    DifferenceBlock packed = redundancy.packing() == Packing.ON ? pack(holder, raw) : null;
    if (packed == null) {
      deltaBytesSent += raw.lengthBytes();
      send(holder, new StreamItem.Deltas(current, keys, values, ids, counters, raw, false));
    } else {
      Payload payload = Payload.of(packed.used());
      deltaBytesSent += payload.lengthBytes();
      send(holder, new StreamItem.Deltas(current, keys, packed, ids, counters, payload, true));
      packed.release();
    }
  }

  /** Packed differences, or null if that does not pay. The caller is the block's first user. */
  private DifferenceBlock pack(int holder, Payload raw) {
    int floats = (int) (raw.lengthBytes() / Float.BYTES);
    if (policies[holder] == null) {
      policies[holder] = new PackingPolicy();
    }
    if (!policies[holder].shouldTry(floats)) {
      return null;
    }
    DifferenceBlock gathered = DifferenceBlock.ofValues(pool, raw.lengthBytes());
    DifferenceBlock block = DifferenceBlock.ofValues(pool, DeltaPacking.maxPackedBytes(floats));
    raw.writeTo(gathered.values(), 0);
    int length = packing.pack(gathered.values(), 0, floats, block.values(), 0);
    gathered.release();
    policies[holder].tried(length);
    if (length < 0) {
      block.release();
      return null;
    }
    block.used(length);
    return block;
  }

  @Override
  public void shard(int shard, MemorySegment gradients) throws RefusedException {
    nn.apply(shard, gradients, learningRate);
    if (code != null) {
      records.shard(current.tx, current.watermark, shard);
    }
    if (redundancy.nnReplicas() == 0) {
      return;
    }
    DifferenceBlock block = DifferenceBlock.ofValues(pool, gradients.byteSize());
    try {
      MemorySegment.copy(gradients, 0, block.values(), 0, gradients.byteSize());
      Payload copy = Payload.of(block.values().asSlice(0, gradients.byteSize()));
      for (int i = 0; i < redundancy.nnReplicas(); i++) {
        int backup = Backups.backup(self, i, servers);
        if (copies[backup] == null || copies[backup].hasCopies()) {
          ShardVersion version = nn.version(shard);
          send(backup, new StreamItem.Gradient(current, block, shard, version, learningRate, copy));
        }
      }
    } finally {
      block.release();
    }
  }

  @Override
  public void record(DataRange range) {
    if (code != null) {
      records.range(current.tx, current.watermark);
    }
    for (int i = 0; i < redundancy.r(); i++) {
      int backup = Backups.backup(self, i, servers);
      if (copies[backup] == null || copies[backup].hasCopies()) {
        send(backup, new StreamItem.Range(current, range));
      }
    }
  }

  @Override
  public boolean end() {
    boolean waits = current.outstanding > 0;
    if (waits) {
      pending.add(current);
    }
    current = null;
    return waits;
  }

  void send(int server, StreamItem item) {
    if (standIns.isLost(server) && copies[server] == null) {
      item.release();
      return;
    }
    if (streams[server] == null) {
      streams[server] = new OutStream(NodeId.server(server), outbox, retryNanos);
    }
    if (item.transaction != null) {
      item.transaction.outstanding++;
      item.transaction.bytes += item.bytes();
      unstableBytes += item.bytes();
    }
    bytes += item.bytes();
    bytesPeak = Math.max(bytesPeak, bytes);
    streams[server].add(item, stable(), nowNanos);
  }

  /** All transactions up to this ordinal are redundant. */
  private long stable() {
    if (!pending.isEmpty()) {
      return pending.peek().ordinal - 1;
    }
    return current == null ? ordinal : ordinal - 1;
  }

  // Captures.

  /**
   * Sends rows as they are now, in the stream to a holder: behind all their differences so far.
   *
   * @param ids int64: own rows
   * @throws RefusedException if one is not, or there are too many for a message
   */
  public void captureRows(NodeId holder, long request, MemorySegment ids) throws RefusedException {
    int asked = (int) (ids.byteSize() / Long.BYTES);
    requireRedundancy();
    rows.check(ids, asked);
    int found = 0;
    for (int i = 0; i < asked; i++) {
      found += rows.counter(ids.get(ID, 8L * i)) > 0 ? 1 : 0;
    }
    if (found > rowsPerMessage) {
      throw new RefusedException(
          RefusalReason.MALFORMED, found + " rows in one capture, at most " + rowsPerMessage);
    }
    int rowBytes = rows.layout().rowBytes();
    DifferenceBlock block = DifferenceBlock.ofRows(pool, found, rowBytes);
    try {
      int[] chosen = new int[found];
      int at = 0;
      for (int i = 0; i < asked; i++) {
        long row = ids.get(ID, 8L * i);
        int counter = rows.counter(row);
        if (counter > 0) {
          chosen[at] = at;
          block.ids().set(ID, 8L * at, row);
          block.counters().set(ValueLayout.JAVA_INT_UNALIGNED, 4L * at, counter);
          rows.changes(row, code, block.values(), (long) at * rowBytes);
          at++;
        }
      }
      send(
          holder.index(),
          new StreamItem.Rows(
              ordinal,
              block,
              request,
              block.ids(chosen, 0, found),
              block.counters(chosen, 0, found),
              block.values(chosen, 0, found, rowBytes)));
    } finally {
      block.release();
    }
  }

  /** Most rows with changes that one capture may hold. */
  public int captureRowsMax() {
    return rowsPerMessage;
  }

  /** Sends an own NN shard's version and digest, in the stream to a backup. */
  public void captureShard(NodeId backup, long request, int shard) throws RefusedException {
    requireRedundancy();
    send(
        backup.index(),
        new StreamItem.Shard(
            ordinal, request, shard, nn.version(shard), NnStore.digest(nn.all(shard))));
  }

  private void requireRedundancy() throws RefusedException {
    if (code == null) {
      throw new RefusedException(RefusalReason.MALFORMED, "nothing is redundant in this job");
    }
  }

  // Acknowledgements and time.

  /** A holder has folded all items up to a number. */
  public void onAck(NodeId holder, long number, boolean gap) {
    OutStream stream = streams[holder.index()];
    if (stream == null) {
      if (number > 0) {
        throw new IllegalStateException(
            holder + " acknowledges item " + number + " of a stream that does not exist");
      }
      return;
    }
    stream.onAck(number, gap, stable(), nowNanos, this::acknowledged);
  }

  private void acknowledged(StreamItem item) {
    bytes -= item.bytes();
    oldestNanosMax = Math.max(oldestNanosMax, nowNanos - item.sinceNanos);
    item.release();
    AppliedTransaction transaction = item.transaction;
    if (transaction != null && --transaction.outstanding == 0) {
      while (!pending.isEmpty() && pending.peek().outstanding == 0) {
        unstableBytes -= pending.remove().bytes;
      }
      listener.redundant(transaction.tx);
    }
  }

  /** A holder was in another epoch and has dropped something. */
  public void onRefused(NodeId holder) {
    if (streams[holder.index()] != null) {
      streams[holder.index()].onRefused(nowNanos);
    }
  }

  /**
   * This server is in a new epoch: what was not acknowledged may have been refused. Nobody waits
   * for holders that are lost: what they had is gone, and for a while less is redundant.
   */
  public void onEpoch(StandIns newer) {
    standIns = newer;
    for (int server = 0; server < servers; server++) {
      if (streams[server] != null && newer.isLost(server) && copies[server] == null) {
        streams[server].drop(this::acknowledged);
      }
    }
    for (OutStream stream : streams) {
      if (stream != null) {
        stream.resend(stable(), nowNanos);
      }
    }
  }

  /** Another process is at a server's place, or it begins anew: so does the stream to it. */
  public void restart(int server) {
    if (streams[server] != null) {
      streams[server].drop(this::acknowledged);
      streams[server].close();
      streams[server] = null;
    }
    copies[server] = null;
  }

  /**
   * A server takes a lost one's place: from now on it gets changes only of what it was given.
   *
   * @return to give it more
   */
  public CopyStream copyTo(int server) {
    copies[server] = new CopyStream(this, server, rows.layout().rowBytes(), pool, rowsPerMessage);
    return copies[server];
  }

  /** A server has taken a lost one's place: it gets everything, as any other. */
  public void copied(int server) {
    copies[server] = null;
  }

  /** To a server that is to have copies of something of this one's. */
  public CopyStream stream(int server) {
    return new CopyStream(this, server, rows.layout().rowBytes(), pool, rowsPerMessage);
  }

  /** Bytes that wait for a server's acknowledgement. */
  long unacknowledgedBytes(int server) {
    return streams[server] == null ? 0 : streams[server].unacknowledgedBytes();
  }

  /** Which (transaction, row) was applied here, as far as watermarks do not cover it. */
  public FoldRecords records() {
    return records;
  }

  /** Time passes. */
  public void tick() {
    for (OutStream stream : streams) {
      if (stream != null) {
        stream.tick(stable(), nowNanos);
      }
    }
  }

  /**
   * {@inheritDoc}
   *
   * <p>Counts what transactions have made until they are stable, not only the items that wait: as
   * long as one holder does not acknowledge, the block that its few rows share with others stays
   * here, and all other holders keep their tails.
   */
  @Override
  public boolean isPressed() {
    return Math.max(bytes, unstableBytes) > redundancy.windowBytes();
  }

  /** Bytes that wait to be acknowledged. */
  public long unacknowledgedBytes() {
    return bytes;
  }

  /** Most bytes that ever waited. */
  public long unacknowledgedBytesPeak() {
    return bytesPeak;
  }

  /** Items that wait to be acknowledged. */
  public long unacknowledgedItems() {
    long items = 0;
    for (OutStream stream : streams) {
      items += stream == null ? 0 : stream.unacknowledgedItems();
    }
    return items;
  }

  /** Age of the oldest item that waits (hazard 18); 0 if none does. */
  public long oldestUnacknowledgedNanos() {
    long oldest = 0;
    for (OutStream stream : streams) {
      oldest = Math.max(oldest, stream == null ? 0 : stream.oldestNanos(nowNanos));
    }
    return oldest;
  }

  /** Longest time that an item ever waited, one that waits now included. */
  public long unacknowledgedNanosMax() {
    return Math.max(oldestNanosMax, oldestUnacknowledgedNanos());
  }

  /** Bytes of differences before packing, first sendings only. */
  public long deltaBytesRaw() {
    return deltaBytesRaw;
  }

  /** Bytes of differences after packing, first sendings only. */
  public long deltaBytesSent() {
    return deltaBytesSent;
  }

  /** Transactions applied here. */
  public long ordinal() {
    return ordinal;
  }

  @Override
  public void close() {
    for (OutStream stream : streams) {
      if (stream != null) {
        stream.close();
      }
    }
    pool.close();
  }
}
