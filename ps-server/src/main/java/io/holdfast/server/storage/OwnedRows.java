package io.holdfast.server.storage;

import io.holdfast.config.placement.StripeMap;
import java.util.Arrays;

/**
 * Which rows are this server's, and where they lie: the {@link StripeMap}'s arithmetic for one
 * server, tabulated over one cycle of the map, so that a row costs one division and one look-up,
 * and a walk in row order visits only own rows.
 */
final class OwnedRows {
  /** The row is of this model but on another server. */
  static final long NOT_OWNED = -1;

  /** There is no such row. */
  static final long OUT_OF_RANGE = -2;

  private final long rows;
  private final int cycleRows;

  /** For each row of the first cycle its place, or -1. */
  private final int[] places;

  /** Own rows of the first cycle, in increasing order. */
  private final int[] offsets;

  OwnedRows(StripeMap map, int server) {
    rows = map.rows();
    cycleRows = Math.multiplyExact(map.stripesPerCycle(), map.k());
    places = new int[cycleRows];
    offsets = new int[map.stripesPerCycle() / map.servers() * map.k()];
    int own = 0;
    for (int row = 0; row < cycleRows; row++) {
      boolean mine = map.serverOfRow(row) == server;
      places[row] = mine ? (int) map.indexOfRow(row) : -1;
      if (mine) {
        offsets[own++] = row;
      }
    }
    if (own != offsets.length) {
      throw new IllegalStateException(
          "server " + server + " has " + own + " rows of a cycle, expected " + offsets.length);
    }
  }

  /** Rows of all servers. */
  long rows() {
    return rows;
  }

  /** A row's place on this server, {@link #NOT_OWNED} or {@link #OUT_OF_RANGE}. */
  long placeOf(long row) {
    if (row < 0 || row >= rows) {
      return OUT_OF_RANGE;
    }
    long cycle = row / cycleRows;
    int place = places[(int) (row - cycle * cycleRows)];
    return place < 0 ? NOT_OWNED : cycle * offsets.length + place;
  }

  /** The first step of a walk whose row is at least {@code row}. */
  long stepFrom(long row) {
    long cycle = row / cycleRows;
    int found = Arrays.binarySearch(offsets, (int) (row - cycle * cycleRows));
    return cycle * offsets.length + (found >= 0 ? found : -found - 1);
  }

  /** The row of a walk's step; rows increase with steps, and may pass {@link #rows}. */
  long rowOfStep(long step) {
    long cycle = step / offsets.length;
    return cycle * cycleRows + offsets[(int) (step - cycle * offsets.length)];
  }
}
