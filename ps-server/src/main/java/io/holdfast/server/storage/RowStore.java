package io.holdfast.server.storage;

import io.holdfast.config.model.ModelSpec;
import io.holdfast.config.model.OptimizerSpec;
import io.holdfast.config.model.ParameterInit;
import io.holdfast.config.model.RowLayout;
import io.holdfast.config.placement.StripeMap;
import io.holdfast.config.protocol.RefusalReason;
import io.holdfast.erasure.ErasureCode;
import io.holdfast.server.optimizer.Optimizer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * This server's rows, {@code [weights | optimizer state]} at a fixed stride, with an int32 update
 * counter each. Counter 0 means that the row was never updated: its memory is untouched, a reader
 * gets the initial weights computed into his buffer, and the first update writes them.
 *
 * <p>All operations take batches: ids are int64, weights and gradients are {@code [count, dim]}
 * floats. One thread at a time. No operation allocates per row.
 */
public final class RowStore implements AutoCloseable {
  /** A walk answers after so many rows even if it found nothing, so that nobody waits long. */
  static final int WALK_LIMIT = 1 << 20;

  /** Rows that are looked up ahead of their use. */
  private static final int BLOCK = 32;

  private static final int LINE_BYTES = 64;
  private static final ValueLayout.OfLong ID = ValueLayout.JAVA_LONG_UNALIGNED;
  private static final ValueLayout.OfInt COUNTER = ValueLayout.JAVA_INT_UNALIGNED;

  private final OwnedRows owned;
  private final InitialRows initial;
  private final RowLayout layout;
  private final Optimizer optimizer;
  private final MappedMemory rowMemory;
  private final MappedMemory counterMemory;
  private final MemorySegment rows;
  private final MemorySegment counters;
  private final int strideBytes;
  private final int dim;
  private final long[] places = new long[BLOCK];
  private long updates;

  /** Keeps {@link #locate}'s reads from being optimised away. */
  @SuppressWarnings("unused")
  private int sink;

  /**
   * Allocates the server's share; nothing is committed yet.
   *
   * @throws IllegalStateException if the host does not give the memory
   */
  public RowStore(
      ModelSpec model,
      OptimizerSpec spec,
      StripeMap map,
      int server,
      ParameterInit init,
      MemorySettings memory) {
    if (map.rows() != model.totalRows()) {
      throw new IllegalArgumentException(
          "a map of " + map.rows() + " rows for a model of " + model.totalRows());
    }
    owned = new OwnedRows(map, server);
    initial = new InitialRows(model, init);
    layout = RowLayout.of(model, spec);
    optimizer = Optimizer.of(spec);
    strideBytes = layout.strideBytes();
    dim = layout.dim();
    long capacity = map.dataCapacity();
    rowMemory =
        MappedMemory.zeroed(
            "the " + capacity + " rows of server " + server,
            Math.multiplyExact(capacity, strideBytes),
            memory);
    try {
      counterMemory =
          MappedMemory.zeroed(
              "the update counters of server " + server, 4L * capacity, MemorySettings.DEFAULT);
    } catch (RuntimeException e) {
      rowMemory.close();
      throw e;
    }
    rows = rowMemory.segment();
    counters = counterMemory.segment();
  }

  public RowLayout layout() {
    return layout;
  }

  /** Memory that rows and counters have committed. */
  public long touchedBytes() {
    return rowMemory.touchedBytes() + counterMemory.touchedBytes();
  }

  /** Memory that rows and counters take once every row was updated. */
  public long reservedBytes() {
    return rows.byteSize() + counters.byteSize();
  }

  /** Row updates so far. */
  public long updates() {
    return updates;
  }

  /**
   * Checks that all rows exist and are this server's.
   *
   * @throws RefusedException MALFORMED or NOT_OWNER
   */
  public void check(MemorySegment rowIds, int count) throws RefusedException {
    for (int i = 0; i < count; i++) {
      long row = rowIds.get(ID, 8L * i);
      long place = owned.placeOf(row);
      if (place < 0) {
        throw refusal(row, place);
      }
    }
  }

  private RefusedException refusal(long row, long why) {
    return why == OwnedRows.OUT_OF_RANGE
        ? new RefusedException(
            RefusalReason.MALFORMED, "row " + row + " of a model of " + owned.rows() + " rows")
        : new RefusedException(
            RefusalReason.NOT_OWNER, "row " + row + " lies on another server than this one");
  }

  /**
   * Writes the weights of rows.
   *
   * @param target receives {@code [count, dim]} floats
   * @param offsetBytes where in {@code target}
   * @throws RefusedException if a row is not this server's; {@code target} is partly written
   */
  public void gather(MemorySegment rowIds, int count, MemorySegment target, long offsetBytes)
      throws RefusedException {
    int weightBytes = layout.weightBytes();
    long to = offsetBytes;
    for (int from = 0; from < count; from += BLOCK) {
      int end = Math.min(count, from + BLOCK);
      locate(rowIds, from, end, weightBytes);
      for (int i = from; i < end; i++, to += weightBytes) {
        long place = places[i - from];
        if (counters.get(COUNTER, 4 * place) == 0) {
          initial.write(rowIds.get(ID, 8L * i), target, to);
        } else {
          Floats.copy(rows, place * strideBytes, target, to, dim);
        }
      }
    }
  }

  /**
   * Finds the places of a block of rows and reads a word of every cache line that will be needed.
   * These reads do not depend on one another, so the memory serves many of them at once; without
   * them each row's misses are waited for in turn (measured: two to four times slower).
   */
  private void locate(MemorySegment rowIds, int from, int end, int lengthBytes)
      throws RefusedException {
    int seen = 0;
    for (int i = from; i < end; i++) {
      long row = rowIds.get(ID, 8L * i);
      long place = owned.placeOf(row);
      if (place < 0) {
        throw refusal(row, place);
      }
      places[i - from] = place;
      seen ^= counters.get(COUNTER, 4 * place);
    }
    // First lines first: they bring the address translations.
    for (int i = 0; i < end - from; i++) {
      seen ^= rows.get(COUNTER, places[i] * strideBytes);
    }
    if (lengthBytes > LINE_BYTES) {
      for (int i = 0; i < end - from; i++) {
        long at = places[i] * strideBytes;
        for (int line = LINE_BYTES; line < lengthBytes; line += LINE_BYTES) {
          seen ^= rows.get(COUNTER, at + line);
        }
      }
    }
    sink = seen;
  }

  /**
   * Applies gradients, row by row in their order. A row that is named twice is updated twice.
   *
   * @param gradients {@code [count, dim]} floats
   * @throws RefusedException if a row is not this server's; some rows before it are updated, so
   *     {@link #check} first where that matters
   * @throws IllegalStateException if a row's update counter is exhausted
   */
  public void apply(MemorySegment rowIds, int count, MemorySegment gradients, float learningRate)
      throws RefusedException {
    apply(rowIds, count, gradients, learningRate, null, null, null);
  }

  /**
   * As the short form, and tells what has changed.
   *
   * @param code makes the differences; null: none are asked for
   * @param differences receives {@code [count, rowFloats]}: from {@code [weights | state]} before
   *     to after, the initial row being the state before the first update
   * @param newCounters receives int32 update counters
   */
  public void apply(
      MemorySegment rowIds,
      int count,
      MemorySegment gradients,
      float learningRate,
      ErasureCode code,
      MemorySegment differences,
      MemorySegment newCounters)
      throws RefusedException {
    int rowBytes = layout.rowBytes();
    int rowFloats = layout.rowFloats();
    for (int from = 0; from < count; from += BLOCK) {
      int end = Math.min(count, from + BLOCK);
      locate(rowIds, from, end, layout.rowBytes());
      for (int i = from; i < end; i++) {
        long at = places[i - from] * strideBytes;
        int counter = prepare(rowIds.get(ID, 8L * i), places[i - from]);
        long differenceAt = (long) i * rowBytes;
        if (code != null) {
          Floats.copy(rows, at, differences, differenceAt, rowFloats);
        }
        optimizer.update(
            rows, at, dim, gradients, (long) i * layout.weightBytes(), learningRate, counter);
        if (code != null) {
          code.difference(differences, differenceAt, rows, at, differences, differenceAt, rowBytes);
          newCounters.set(COUNTER, 4L * i, counter);
        }
      }
    }
    updates += count;
  }

  /** Counts an update of a row that is about to be made; returns the new count. */
  private int prepare(long row, long place) {
    int counter = counters.get(COUNTER, 4 * place);
    if (counter == 0) {
      materialise(row, place, place * strideBytes);
    } else if (counter == Integer.MAX_VALUE) {
      throw new IllegalStateException(
          "row " + row + " was updated " + counter + " times: its counter is exhausted");
    }
    counters.set(COUNTER, 4 * place, counter + 1);
    return counter + 1;
  }

  /** First write to a row: its initial weights and state. */
  private void materialise(long row, long place, long at) {
    rowMemory.touch(at, layout.rowBytes());
    counterMemory.touch(4 * place, 4);
    initial.write(row, rows, at);
    optimizer.initialState(rows, at, dim);
  }

  /**
   * Rows in {@code [fromRow, toRow)} that were ever updated, in increasing order. May stop early:
   * go on at the result's {@code nextRow} until that is {@code toRow}; a result may be empty.
   *
   * @param maxRows most rows of a result, at least 1
   * @throws RefusedException MALFORMED if there is no such range
   */
  public RowExport export(long fromRow, long toRow, int maxRows) throws RefusedException {
    if (fromRow < 0 || fromRow > toRow || toRow > owned.rows() || maxRows < 1) {
      throw new RefusedException(
          RefusalReason.MALFORMED,
          "rows " + fromRow + " to " + toRow + " of " + owned.rows() + ", at most " + maxRows);
    }
    long[] found = new long[16];
    int count = 0;
    long step = owned.stepFrom(fromRow);
    long nextRow = owned.rowOfStep(step);
    for (long end = step + WALK_LIMIT; nextRow < toRow && step < end && count < maxRows; ) {
      if (counters.get(COUNTER, 4 * owned.placeOf(nextRow)) != 0) {
        if (count == found.length) {
          found = Arrays.copyOf(found, 2 * count);
        }
        found[count++] = nextRow;
      }
      nextRow = owned.rowOfStep(++step);
    }
    return new RowExport(this, Arrays.copyOf(found, count), Math.min(nextRow, toRow));
  }

  /** The rows in place; for timing. */
  MemorySegment memory() {
    return rows;
  }

  /**
   * What has changed in an own row since it was initial: all zero if it was never updated.
   *
   * @param target receives {@code rowBytes}
   */
  public void changes(long ownRow, ErasureCode code, MemorySegment target, long offsetBytes) {
    int rowBytes = layout.rowBytes();
    if (counter(ownRow) == 0) {
      target.asSlice(offsetBytes, rowBytes).fill((byte) 0);
      return;
    }
    initial(ownRow, target, offsetBytes);
    long at = owned.placeOf(ownRow) * strideBytes;
    code.difference(target, offsetBytes, rows, at, target, offsetBytes, rowBytes);
  }

  /**
   * A row's initial {@code [weights | state]}, of any server's row.
   *
   * @param target receives {@code rowBytes}
   */
  public void initial(long row, MemorySegment target, long offsetBytes) {
    initial.write(row, target, offsetBytes);
    // Optimizers write only what is not zero.
    long weightBytes = layout.weightBytes();
    target.asSlice(offsetBytes + weightBytes, layout.rowBytes() - weightBytes).fill((byte) 0);
    optimizer.initialState(target, offsetBytes, dim);
  }

  /**
   * Puts an own row right, outside of training.
   *
   * @param foundCounter that it had when it was found wrong
   * @param rightCounter that it is to have, at least 1
   * @param changes what is to have changed since it was initial, {@code rowBytes} at the offset
   * @return false if the row has another counter by now, and nothing was changed
   */
  public boolean repair(
      long ownRow,
      int foundCounter,
      int rightCounter,
      ErasureCode code,
      MemorySegment changes,
      long offsetBytes) {
    if (rightCounter < 1 || counter(ownRow) != foundCounter) {
      return false;
    }
    long place = owned.placeOf(ownRow);
    long at = place * strideBytes;
    rowMemory.touch(at, layout.rowBytes());
    counterMemory.touch(4 * place, 4);
    initial(ownRow, rows, at);
    code.applyDifference(changes, offsetBytes, rows, at, layout.rowBytes());
    counters.set(COUNTER, 4 * place, rightCounter);
    return true;
  }

  /**
   * Takes an own row as another server has had it in this one's place, now or newer than before.
   *
   * @param counter its updates, at least 1
   * @param values {@code [weights | state]}, {@code rowBytes} at the offset
   * @throws RefusedException if it is not this server's row
   * @throws IllegalStateException if what is here has more updates
   */
  public void install(long row, int counter, MemorySegment values, long offsetBytes)
      throws RefusedException {
    long place = owned.placeOf(row);
    if (place < 0) {
      throw refusal(row, place);
    }
    if (counter < Math.max(1, counters.get(COUNTER, 4 * place))) {
      throw new IllegalStateException(
          "row %d comes with %d updates, here it has %d"
              .formatted(row, counter, counters.get(COUNTER, 4 * place)));
    }
    long at = place * strideBytes;
    rowMemory.touch(at, layout.rowBytes());
    counterMemory.touch(4 * place, 4);
    Floats.copy(values, offsetBytes, rows, at, layout.rowFloats());
    counters.set(COUNTER, 4 * place, counter);
  }

  /** An own row's update counter. */
  public int counter(long ownRow) {
    return counters.get(COUNTER, 4 * owned.placeOf(ownRow));
  }

  /**
   * Flips a bit of an own row as failing memory does: nothing takes note of it.
   *
   * @return false if the row was never updated, so that none of its bits is stored
   */
  public boolean flipBit(long ownRow, int bit) {
    if (counter(ownRow) == 0) {
      return false;
    }
    long at = owned.placeOf(ownRow) * strideBytes + bit / Byte.SIZE;
    rows.set(
        ValueLayout.JAVA_BYTE,
        at,
        (byte) (rows.get(ValueLayout.JAVA_BYTE, at) ^ (1 << (bit % Byte.SIZE))));
    return true;
  }

  /** Writes an own, updated row's weights and state, {@code rowBytes}. */
  public void copy(long ownRow, MemorySegment target, long offsetBytes) {
    Floats.copy(rows, owned.placeOf(ownRow) * strideBytes, target, offsetBytes, layout.rowFloats());
  }

  /**
   * Takes rows of a saved model, in the form of an export; rows of other servers are passed over.
   *
   * @param counters int32 update counters, all positive
   * @param values {@code [count, rowFloats]}
   * @return how many rows were this server's
   * @throws IllegalArgumentException if a row does not exist or a counter is not positive
   */
  public int importRows(
      MemorySegment rowIds, MemorySegment counters, MemorySegment values, int count) {
    return importRows(rowIds, counters, values, count, null, null);
  }

  /**
   * As the short form, with parities.
   *
   * @param parities takes those rows whose stripes have a parity here; null: there are none
   * @param code of the parities
   */
  public int importRows(
      MemorySegment rowIds,
      MemorySegment counters,
      MemorySegment values,
      int count,
      ParityStore parities,
      ErasureCode code) {
    int taken = 0;
    MemorySegment difference =
        parities == null ? null : Arena.ofAuto().allocate(layout.rowBytes(), LINE_BYTES);
    for (int i = 0; i < count; i++) {
      long row = rowIds.get(ID, 8L * i);
      int counter = counters.get(COUNTER, 4L * i);
      long place = owned.placeOf(row);
      if (place == OwnedRows.OUT_OF_RANGE || counter < 1) {
        throw new IllegalArgumentException(
            "row " + row + " with update counter " + counter + " in a model of " + owned.rows());
      }
      if (parities != null) {
        initial(row, difference, 0);
        code.difference(
            difference, 0, values, (long) i * layout.rowBytes(), difference, 0, layout.rowBytes());
        parities.importRow(row, counter, difference);
      }
      if (place >= 0) {
        long at = place * strideBytes;
        rowMemory.touch(at, layout.rowBytes());
        counterMemory.touch(4 * place, 4);
        Floats.copy(values, (long) i * layout.rowBytes(), rows, at, layout.rowFloats());
        this.counters.set(COUNTER, 4 * place, counter);
        taken++;
      }
    }
    return taken;
  }

  @Override
  public void close() {
    rowMemory.close();
    counterMemory.close();
  }
}
