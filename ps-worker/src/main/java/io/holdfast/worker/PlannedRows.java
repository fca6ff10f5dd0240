package io.holdfast.worker;

import io.holdfast.config.job.StandIns;
import io.holdfast.config.protocol.Payload;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * Some of the rows of an iteration, named by their places in its plan: all of a run of places, as a
 * server owns them, or chosen ones, as a stand-in takes them over from a lost server. Immutable.
 */
final class PlannedRows {
  /** Null for a run: then the places are {@code from .. to - 1} themselves. */
  private final int[] chosen;

  private final int from;
  private final int to;

  private PlannedRows(int[] chosen, int from, int to) {
    this.chosen = chosen;
    this.from = from;
    this.to = to;
  }

  /** No rows. */
  static PlannedRows none() {
    return run(0, 0);
  }

  /** All rows at places {@code from .. to - 1} of the plan. */
  static PlannedRows run(int from, int to) {
    return new PlannedRows(null, from, to);
  }

  int count() {
    return to - from;
  }

  /** Rows {@code first .. end - 1} of these. */
  PlannedRows slice(int first, int end) {
    return new PlannedRows(chosen, from + first, from + end);
  }

  private int place(int i) {
    return chosen == null ? from + i : chosen[from + i];
  }

  /** These rows and others of the same owner, none of which may be among these. */
  PlannedRows with(PlannedRows others) {
    int[] both = new int[count() + others.count()];
    for (int i = 0; i < count(); i++) {
      both[i] = place(i);
    }
    for (int i = 0; i < others.count(); i++) {
      both[count() + i] = others.place(i);
    }
    Arrays.sort(both);
    return new PlannedRows(both, 0, both.length);
  }

  /** Whether one server has all of these now. */
  boolean areAt(int server, LookupPlan plan, StandIns standIns) {
    for (int i = 0; i < count(); i++) {
      if (standIns.ofRow(plan.rows()[place(i)]) != server) {
        return false;
      }
    }
    return true;
  }

  /**
   * These rows by the server that has each now, in their order; null at servers that have none.
   *
   * @throws IllegalStateException if nobody has one of them
   */
  PlannedRows[] byServer(LookupPlan plan, StandIns standIns) {
    int[] counts = new int[standIns.servers()];
    for (int i = 0; i < count(); i++) {
      counts[server(i, plan, standIns)]++;
    }
    int[][] places = new int[counts.length][];
    PlannedRows[] rows = new PlannedRows[counts.length];
    for (int server = 0; server < counts.length; server++) {
      if (counts[server] > 0) {
        places[server] = new int[counts[server]];
        rows[server] = new PlannedRows(places[server], 0, counts[server]);
        counts[server] = 0;
      }
    }
    for (int i = 0; i < count(); i++) {
      int server = server(i, plan, standIns);
      places[server][counts[server]++] = place(i);
    }
    return rows;
  }

  private int server(int i, LookupPlan plan, StandIns standIns) {
    long row = plan.rows()[place(i)];
    int server = standIns.ofRow(row);
    if (server < 0) {
      throw new IllegalStateException("no live server has row " + row);
    }
    return server;
  }

  /** Their ids: int64. Read from the iteration when it is written. */
  Payload ids(Iteration iteration) {
    return payload(iteration.rowIds(), Long.BYTES);
  }

  /** Their values: {@code [count, dim]} floats. Read from the iteration when it is written. */
  Payload values(Iteration iteration, int dim) {
    return payload(iteration.rowValues(), (long) dim * Float.BYTES);
  }

  private Payload payload(MemorySegment source, long widthBytes) {
    return chosen == null
        ? Payload.of(source.asSlice(from * widthBytes, count() * widthBytes))
        : new Gathered(source, widthBytes);
  }

  /** Puts values that arrived, {@code [count, dim]} floats, where the iteration expects them. */
  void take(Payload values, Iteration iteration, int dim) {
    long rowBytes = (long) dim * Float.BYTES;
    if (chosen == null) {
      values.writeTo(iteration.rowValues(), from * rowBytes);
      return;
    }
    MemorySegment source = values.segment();
    for (int i = 0; i < count(); i++) {
      MemorySegment.copy(
          source, i * rowBytes, iteration.rowValues(), place(i) * rowBytes, rowBytes);
    }
  }

  /** Ids or values of chosen rows, gathered into the frame. */
  private final class Gathered implements Payload {
    private final MemorySegment source;
    private final long widthBytes;

    Gathered(MemorySegment source, long widthBytes) {
      this.source = source;
      this.widthBytes = widthBytes;
    }

    @Override
    public long lengthBytes() {
      return count() * widthBytes;
    }

    @Override
    public void writeTo(MemorySegment target, long offsetBytes) {
      long at = offsetBytes;
      for (int i = 0; i < count(); i++, at += widthBytes) {
        MemorySegment.copy(source, place(i) * widthBytes, target, at, widthBytes);
      }
    }
  }
}
