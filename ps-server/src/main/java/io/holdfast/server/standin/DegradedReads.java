package io.holdfast.server.standin;

import io.holdfast.config.placement.NodeId;
import io.holdfast.config.placement.StripeMap;
import io.holdfast.config.protocol.Outbox;
import io.holdfast.config.protocol.Payload;
import io.holdfast.config.protocol.PeerMessage;
import io.holdfast.erasure.Decoder;
import io.holdfast.erasure.ErasureCode;
import io.holdfast.server.storage.ParityStore;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.function.LongSupplier;
import org.agrona.collections.LongArrayQueue;
import org.agrona.collections.LongHashSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Decodes rows of a lost server at a holder of their stripes' parities, a batch at a time, while
 * training goes on.
 *
 * <p>A consistent cut needs no pause: the siblings' owners answer in their streams of differences,
 * so when an answer arrives exactly the differences that precede it are folded into the parity. An
 * answer is folded into the row that is being decoded, and so is every later difference of that
 * sibling; the parity comes last, when all siblings are there. A lost row does not depend on when
 * that is, since what a sibling's difference does to the parity it does to the sibling, too.
 *
 * <p>Counters guard it: the sibling's, brought forward, must be what its parity says (hazard 7).
 *
 * <p>One row of a stripe may be lost, not more.
 */
final class DegradedReads implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(DegradedReads.class);
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;

  /** After a refusal that will pass, ask again so much sooner than after silence. */
  private static final int REFUSED_RETRY_DIVISOR = 32;

  /** Takes decoded rows. */
  interface Promoter {
    /**
     * A row is decoded.
     *
     * @param counter its updates, at least 1
     * @param changes since the initial row, {@code rowBytes} at the offset
     */
    void promote(long row, int counter, MemorySegment changes, long offsetBytes);

    /** All of a batch are. */
    void batchEnds();
  }

  /** What one owner was asked. */
  private static final class Sibling {
    final long[] rows;

    /** Which row of the batch each is needed for. */
    final int[] targets;

    int count;
    long request;
    long askedNanos;
    boolean open;

    Sibling(int capacity) {
      rows = new long[capacity];
      targets = new int[capacity];
    }
  }

  private final NodeId self;
  private final StripeMap map;
  private final int k;
  private final ErasureCode code;
  private final ParityStore parities;
  private final Outbox outbox;
  private final long retryNanos;
  private final LongSupplier requests;
  private final Promoter promoter;
  private final int rowBytes;
  private final Arena arena = Arena.ofShared();

  /** {@code [capacity, rowBytes]} rows that are being decoded. */
  private final MemorySegment decoded;

  /** Rows of the batch, by place of their stripe's parity here. */
  private final long[] rows;

  private final long[] places;

  /** {@code [capacity, k]}: updates of each sibling that are in {@link #decoded}; -1 if none is. */
  private final int[] counters;

  /** {@code [member, parity]}. */
  private final Decoder[][] decoders;

  private final Sibling[] siblings;
  private final LongArrayQueue wanted = new LongArrayQueue(Long.MIN_VALUE);
  private final LongHashSet known = new LongHashSet();
  private int count;

  /**
   * Nothing is wanted yet.
   *
   * @param capacity most rows of a batch
   * @param requests gives numbers for questions, unique within this server's incarnation
   */
  DegradedReads(
      NodeId self,
      StripeMap map,
      ErasureCode code,
      ParityStore parities,
      int capacity,
      Outbox outbox,
      long retryNanos,
      LongSupplier requests,
      Promoter promoter) {
    this.self = self;
    this.map = map;
    this.k = map.k();
    this.code = code;
    this.parities = parities;
    this.outbox = outbox;
    this.retryNanos = retryNanos;
    this.requests = requests;
    this.promoter = promoter;
    rowBytes = parities.layout().rowBytes();
    decoded = arena.allocate((long) capacity * rowBytes, 64);
    rows = new long[capacity];
    places = new long[capacity];
    counters = new int[capacity * k];
    decoders = new Decoder[k][map.r()];
    siblings = new Sibling[map.servers()];
    for (int server = 0; server < siblings.length; server++) {
      siblings[server] = new Sibling(capacity);
    }
  }

  int capacity() {
    return rows.length;
  }

  /** Whether nothing is wanted and nothing under way. */
  boolean isIdle() {
    return count == 0 && wanted.isEmpty();
  }

  /** Wants a row of the lost server whose stripe has its first live parity here. */
  void want(long row) {
    if (known.add(row)) {
      wanted.addLong(row);
    }
  }

  /** Starts with what is wanted, if nothing is under way. */
  void advance(long nowNanos) {
    while (count == 0 && !wanted.isEmpty()) {
      start(nowNanos);
    }
  }

  private void start(long nowNanos) {
    while (count < rows.length && !wanted.isEmpty()) {
      rows[count++] = wanted.pollLong();
    }
    // By place, so that folded differences are found by binary search.
    for (int i = 0; i < count; i++) {
      places[i] = parities.placeOf(rows[i] / k);
    }
    sortByPlace();
    decoded.asSlice(0, (long) count * rowBytes).fill((byte) 0);
    for (Sibling sibling : siblings) {
      sibling.count = 0;
    }
    for (int i = 0; i < count; i++) {
      long stripe = rows[i] / k;
      for (int member = 0; member < k; member++) {
        long row = stripe * k + member;
        counters[i * k + member] = row == rows[i] || row >= map.rows() ? 0 : -1;
        if (row != rows[i] && row < map.rows()) {
          Sibling sibling = siblings[map.serverOfRow(row)];
          sibling.rows[sibling.count] = row;
          sibling.targets[sibling.count] = i;
          sibling.count++;
        }
      }
    }
    for (int server = 0; server < siblings.length; server++) {
      siblings[server].open = siblings[server].count > 0;
      if (siblings[server].open) {
        // Kept when it is asked again: any answer is as good a cut as the newest.
        siblings[server].request = requests.getAsLong();
        ask(server, nowNanos);
      }
    }
    finishIfCaptured();
  }

  private void sortByPlace() {
    long[][] pairs = new long[count][];
    for (int i = 0; i < count; i++) {
      pairs[i] = new long[] {places[i], rows[i]};
    }
    Arrays.sort(pairs, (a, b) -> Long.compare(a[0], b[0]));
    for (int i = 0; i < count; i++) {
      places[i] = pairs[i][0];
      rows[i] = pairs[i][1];
    }
  }

  private void ask(int server, long nowNanos) {
    Sibling sibling = siblings[server];
    sibling.askedNanos = nowNanos;
    long[] asked = Arrays.copyOf(sibling.rows, sibling.count);
    outbox.send(
        NodeId.server(server),
        new PeerMessage.CaptureRows(sibling.request, Payload.of(MemorySegment.ofArray(asked))));
  }

  /** Rows of an owner, in its stream. */
  void onCapturedRows(NodeId from, PeerMessage.CapturedRows message, long nowNanos) {
    Sibling sibling = siblings[from.index()];
    if (count == 0 || !sibling.open || sibling.request != message.request()) {
      return;
    }
    MemorySegment told = message.rows().segment();
    MemorySegment itsCounters = message.counters().segment();
    MemorySegment values = message.values().segment();
    int number = (int) (told.byteSize() / Long.BYTES);
    if (itsCounters.byteSize() != (long) number * Integer.BYTES
        || values.byteSize() != (long) number * rowBytes
        || !isSubsequence(told, number, sibling)) {
      LOG.warn("{} captured other rows for {} than it was asked for", from, self);
      return; // Asked again after a while.
    }
    int next = 0;
    for (int i = 0; i < sibling.count; i++) {
      long row = sibling.rows[i];
      int target = sibling.targets[i];
      int member = (int) (row % k);
      boolean updated = next < number && told.get(LONG, (long) next * Long.BYTES) == row;
      counters[target * k + member] =
          updated ? itsCounters.get(INT, (long) next * Integer.BYTES) : 0;
      if (updated) {
        foldSibling(target, member, values, (long) next * rowBytes);
        next++;
      }
    }
    sibling.open = false;
    finishIfCaptured();
    advance(nowNanos);
  }

  private static boolean isSubsequence(MemorySegment told, int number, Sibling sibling) {
    int next = 0;
    for (int i = 0; i < sibling.count && next < number; i++) {
      next += told.get(LONG, (long) next * Long.BYTES) == sibling.rows[i] ? 1 : 0;
    }
    return next == number;
  }

  /** A sibling, or a difference of one, into the row that is being decoded. */
  private void foldSibling(int target, int member, MemorySegment values, long offsetBytes) {
    int lost = (int) (rows[target] % k);
    Decoder decoder = decoder(target);
    // Sources are the other members in ascending order, and then the parity.
    decoder.foldSource(
        member < lost ? member : member - 1,
        0,
        values,
        offsetBytes,
        decoded,
        (long) target * rowBytes,
        rowBytes);
  }

  /** Of the lost member alone, with this server's parity as a source. */
  private Decoder decoder(int target) {
    int lost = (int) (rows[target] % k);
    int own = parities.parityOf(rows[target] / k);
    if (decoders[lost][own] == null) {
      // Parities before the own one are lost, those behind it are not looked at.
      int[] erased = new int[1 + own];
      erased[0] = lost;
      for (int parity = 0; parity < own; parity++) {
        erased[1 + parity] = k + parity;
      }
      decoders[lost][own] = code.decoder(erased);
    }
    return decoders[lost][own];
  }

  /**
   * A difference was folded into an own parity.
   *
   * @param counter of the row after its update
   */
  void folded(long place, int member, int counter, MemorySegment difference, long offsetBytes) {
    int i = count == 0 ? -1 : Arrays.binarySearch(places, 0, count, place);
    if (i < 0 || rows[i] % k == member || counters[i * k + member] < 0) {
      return;
    }
    foldSibling(i, member, difference, offsetBytes);
    counters[i * k + member] = counter;
  }

  private void finishIfCaptured() {
    for (Sibling sibling : siblings) {
      if (sibling.open) {
        return;
      }
    }
    int again = 0;
    for (int i = 0; i < count; i++) {
      known.remove(rows[i]);
      if (agrees(i)) {
        finish(i);
      } else {
        // Cannot be, as long as streams keep their order; decoding garbage would be worse.
        LOG.error("{}: the siblings of row {} and their parity are of two moments", self, rows[i]);
        rows[again++] = rows[i];
      }
    }
    count = 0;
    for (int i = 0; i < again; i++) {
      want(rows[i]);
    }
    promoter.batchEnds();
  }

  private boolean agrees(int i) {
    for (int member = 0; member < k; member++) {
      if (rows[i] % k != member
          && parities.counter(places[i], member) != counters[i * k + member]) {
        return false;
      }
    }
    return true;
  }

  private void finish(int i) {
    int counter = parities.counter(places[i], (int) (rows[i] % k));
    if (counter == 0) {
      return; // As initial as ever.
    }
    decoder(i)
        .foldSource(
            k - 1,
            0,
            parities.memory(),
            parities.offset(places[i]),
            decoded,
            (long) i * rowBytes,
            rowBytes);
    promoter.promote(rows[i], counter, decoded, (long) i * rowBytes);
  }

  /** An owner was in another epoch and has dropped a question: ask again soon. */
  void onRefused(NodeId owner, long nowNanos) {
    Sibling sibling = siblings[owner.index()];
    sibling.askedNanos =
        Math.min(sibling.askedNanos, nowNanos - retryNanos + retryNanos / REFUSED_RETRY_DIVISOR);
  }

  /** Asks again what was not answered in time. */
  void tick(long nowNanos) {
    for (int server = 0; server < siblings.length && count > 0; server++) {
      if (siblings[server].open && nowNanos - siblings[server].askedNanos >= retryNanos) {
        ask(server, nowNanos);
      }
    }
    advance(nowNanos);
  }

  @Override
  public void close() {
    arena.close();
  }
}
