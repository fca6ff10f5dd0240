package io.holdfast.server.storage;

import io.holdfast.config.model.ModelSpec;
import io.holdfast.config.model.OptimizerSpec;
import io.holdfast.config.model.RowLayout;
import io.holdfast.config.placement.StripeMap;
import io.holdfast.config.protocol.RefusalReason;
import io.holdfast.erasure.ErasureCode;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * The parities that this server holds, {@code [weights | optimizer state]} at the rows' stride,
 * with an int32 counter for each of the stripe's {@code k} members: how many of its updates are
 * folded.
 *
 * <p>Parity is kept over what has changed since the initial row, so it starts as zeros: nothing has
 * to be encoded before training, and the memory of a stripe that nobody updates is never touched.
 *
 * <p>An XOR difference that is folded twice cancels, one that is left out is lost for ever: so a
 * difference is folded only if its counter is the held one plus one (hazard 7: the counters are an
 * integrity check that is always on).
 *
 * <p>One thread at a time. No operation allocates per row.
 */
public final class ParityStore implements AutoCloseable {
  /** Parities that are looked up ahead of their use. */
  private static final int BLOCK = 32;

  private static final int LINE_BYTES = 64;
  private static final ValueLayout.OfLong ID = ValueLayout.JAVA_LONG_UNALIGNED;
  private static final ValueLayout.OfInt COUNTER = ValueLayout.JAVA_INT_UNALIGNED;

  private final StripeMap map;
  private final int k;
  private final HeldStripes held;
  private final RowLayout layout;
  private final ErasureCode code;
  private final MappedMemory parityMemory;
  private final MemorySegment parities;
  private final FoldCounters counters;
  private final int strideBytes;
  private long[] places = new long[256];
  private long folded;

  /** Keeps {@link #lookAhead}'s reads from being optimised away. */
  @SuppressWarnings("unused")
  private int sink;

  /**
   * Allocates the server's share; nothing is committed yet.
   *
   * @throws IllegalStateException if the host does not give the memory
   */
  public ParityStore(
      ModelSpec model,
      OptimizerSpec spec,
      StripeMap map,
      int server,
      ErasureCode code,
      MemorySettings memory) {
    this.map = map;
    this.k = map.k();
    this.code = code;
    held = new HeldStripes(map, server);
    layout = RowLayout.of(model, spec);
    strideBytes = layout.strideBytes();
    long capacity = map.parityCapacity();
    parityMemory =
        MappedMemory.zeroed(
            "the " + capacity + " parities of server " + server,
            Math.multiplyExact(capacity, strideBytes),
            memory);
    try {
      counters = new FoldCounters("the parities' counters of server " + server, capacity, k);
    } catch (RuntimeException e) {
      parityMemory.close();
      throw e;
    }
    parities = parityMemory.segment();
  }

  public RowLayout layout() {
    return layout;
  }

  /** Memory that parities and counters have committed. */
  public long touchedBytes() {
    return parityMemory.touchedBytes() + counters.touchedBytes();
  }

  /** Memory that parities and counters take once every row was updated. */
  public long reservedBytes() {
    return parities.byteSize() + counters.reservedBytes();
  }

  /** Differences folded so far. */
  public long folded() {
    return folded;
  }

  /** Parity rows of this server, those included that no stripe uses. */
  public long capacity() {
    return map.parityCapacity();
  }

  /**
   * Folds differences, all or none.
   *
   * @param owner all rows must be this server's
   * @param rowIds int64
   * @param newCounters int32, each row's after the update
   * @param differences {@code [count, rowFloats]}
   * @throws RefusedException MALFORMED or NOT_OWNER if a row does not exist, is not the owner's, or
   *     has no parity here
   * @throws IllegalStateException if a counter is not the next one: values are wrong somewhere
   */
  public void fold(
      int owner,
      MemorySegment rowIds,
      MemorySegment newCounters,
      MemorySegment differences,
      int count)
      throws RefusedException {
    if (places.length < count) {
      places = new long[Math.max(count, 2 * places.length)];
    }
    for (int i = 0; i < count; i++) {
      places[i] = placeFor(owner, rowIds.get(ID, 8L * i));
    }
    for (int from = 0; from < count; from += BLOCK) {
      int end = Math.min(count, from + BLOCK);
      lookAhead(from, end);
      for (int i = from; i < end; i++) {
        fold(owner, rowIds.get(ID, 8L * i), i, newCounters, differences);
      }
    }
    folded += count;
  }

  /**
   * Reads a word of every cache line that will be needed: these reads do not depend on one another,
   * so the memory serves many of them at once.
   */
  private void lookAhead(int from, int end) {
    int seen = 0;
    for (int i = from; i < end; i++) {
      seen ^= counters.peek(places[i]);
      seen ^= parities.get(COUNTER, places[i] * strideBytes);
    }
    for (int i = from; i < end; i++) {
      long at = places[i] * strideBytes;
      for (int line = LINE_BYTES; line < layout.rowBytes(); line += LINE_BYTES) {
        seen ^= parities.get(COUNTER, at + line);
      }
    }
    sink = seen;
  }

  private void fold(
      int owner, long row, int i, MemorySegment newCounters, MemorySegment differences) {
    long stripe = row / k;
    int member = (int) (row - stripe * k);
    int before = counters.get(places[i], member);
    int after = newCounters.get(COUNTER, 4L * i);
    if (after != before + 1) {
      throw new IllegalStateException(
          "update %d of row %d of server-%d follows update %d here: a difference is lost or was sent twice"
              .formatted(after, row, owner, before));
    }
    fold(stripe, member, places[i], differences, (long) i * layout.rowBytes());
    counters.set(places[i], member, after);
  }

  private void fold(long stripe, int member, long place, MemorySegment difference, long at) {
    long parityAt = place * strideBytes;
    parityMemory.touch(parityAt, layout.rowBytes());
    code.foldDifference(
        member, held.parityOf(stripe), difference, at, parities, parityAt, layout.rowBytes());
  }

  private long placeFor(int owner, long row) throws RefusedException {
    if (row < 0 || row >= map.rows()) {
      throw new RefusedException(
          RefusalReason.MALFORMED, "row " + row + " of a model of " + map.rows() + " rows");
    }
    long place = held.placeOf(row / k);
    if (place < 0) {
      throw new RefusedException(
          RefusalReason.NOT_OWNER, "no parity of row " + row + "'s stripe is here");
    }
    if (map.serverOfRow(row) != owner) {
      throw new RefusedException(
          RefusalReason.NOT_OWNER, "row " + row + " is not server-" + owner + "'s");
    }
    return place;
  }

  /**
   * Takes a row of a saved model if a parity of its stripe is here.
   *
   * @param difference what has changed since the initial row
   */
  void importRow(long row, int counter, MemorySegment difference) {
    long stripe = row / k;
    long place = held.placeOf(stripe);
    if (place < 0) {
      return;
    }
    int member = (int) (row - stripe * k);
    if (counters.get(place, member) != 0) {
      throw new IllegalStateException("row " + row + " is in its parity already");
    }
    fold(stripe, member, place, difference, 0);
    counters.set(place, member, counter);
  }

  /**
   * Takes rows as they are now into parities that have nothing of them yet, all or none: for a
   * server that takes a lost one's place.
   *
   * @param owner all rows must be this server's
   * @param rowIds int64
   * @param rowCounters int32, all positive
   * @param changes {@code [count, rowFloats]} since the initial rows
   * @throws RefusedException as {@link #fold}
   * @throws IllegalStateException if something of a row is folded already
   */
  public void copy(
      int owner, MemorySegment rowIds, MemorySegment rowCounters, MemorySegment changes, int count)
      throws RefusedException {
    if (places.length < count) {
      places = new long[Math.max(count, 2 * places.length)];
    }
    for (int i = 0; i < count; i++) {
      places[i] = placeFor(owner, rowIds.get(ID, 8L * i));
    }
    for (int i = 0; i < count; i++) {
      long row = rowIds.get(ID, 8L * i);
      int member = (int) (row % k);
      int counter = rowCounters.get(COUNTER, 4L * i);
      if (counters.get(places[i], member) != 0 || counter < 1) {
        throw new IllegalStateException(
            "row %d of server-%d is copied after %d updates, its parity has %d of them"
                .formatted(row, owner, counter, counters.get(places[i], member)));
      }
      fold(row / k, member, places[i], changes, (long) i * layout.rowBytes());
      counters.set(places[i], member, counter);
    }
  }

  /** The place of a stripe's parity on this server, or -1. */
  public long placeOf(long stripe) {
    return held.placeOf(stripe);
  }

  /** Which parity, {@code 0 .. r-1}, of a stripe that is held here. */
  public int parityOf(long stripe) {
    return held.parityOf(stripe);
  }

  /** The stripe at a place; may be beyond the last stripe of the model. */
  public long stripeAt(long place) {
    return held.stripeAt(place);
  }

  /** How many updates of a member are folded. */
  public int counter(long place, int member) {
    return counters.get(place, member);
  }

  /** Whether no member's updates are folded. */
  public boolean isUntouched(long place) {
    for (int member = 0; member < k; member++) {
      if (counter(place, member) != 0) {
        return false;
      }
    }
    return true;
  }

  /** The parity at a place, {@code rowBytes} in place. */
  public MemorySegment parity(long place) {
    return parities.asSlice(place * strideBytes, layout.rowBytes());
  }

  /** Memory of all parities. */
  public MemorySegment memory() {
    return parities;
  }

  /** Where in it the parity at a place starts, bytes. */
  public long offset(long place) {
    return place * strideBytes;
  }

  /**
   * Puts a parity right, outside of training.
   *
   * @param values {@code rowBytes} at the offset
   * @param memberCounters k of them
   */
  public void repair(long place, MemorySegment values, long offsetBytes, int[] memberCounters) {
    parityMemory.touch(offset(place), layout.rowBytes());
    MemorySegment.copy(values, offsetBytes, parities, offset(place), layout.rowBytes());
    for (int member = 0; member < k; member++) {
      counters.set(place, member, memberCounters[member]);
    }
  }

  @Override
  public void close() {
    parityMemory.close();
    counters.close();
  }

  /** Which stripes have a parity here: the map's arithmetic, tabulated over one cycle. */
  private static final class HeldStripes {
    private final StripeMap map;
    private final int server;
    private final int cycle;
    private final int perCycle;

    /** For each stripe of a cycle its place, or -1. */
    private final int[] places;

    private final int[] parities;

    HeldStripes(StripeMap map, int server) {
      this.map = map;
      this.server = server;
      cycle = map.stripesPerCycle();
      perCycle = cycle / map.servers() * map.r();
      places = new int[cycle];
      parities = new int[cycle];
      Arrays.fill(places, -1);
      for (int stripe = 0; stripe < cycle; stripe++) {
        for (int parity = 0; parity < map.r(); parity++) {
          if (map.serverOf(stripe, map.k() + parity) == server) {
            places[stripe] = (int) map.indexOfParity(stripe, parity);
            parities[stripe] = parity;
          }
        }
      }
    }

    long placeOf(long stripe) {
      long round = stripe / cycle;
      int place = places[(int) (stripe - round * cycle)];
      return place < 0 ? -1 : round * perCycle + place;
    }

    int parityOf(long stripe) {
      return parities[(int) (stripe % cycle)];
    }

    long stripeAt(long place) {
      return map.stripeOfParityAt(server, place);
    }
  }
}
