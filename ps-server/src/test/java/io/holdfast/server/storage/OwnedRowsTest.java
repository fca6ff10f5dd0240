package io.holdfast.server.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.holdfast.config.placement.StripeMap;
import org.junit.jupiter.api.Test;

class OwnedRowsTest {
  @Test
  void shouldAgreeWithTheStripeMap() {
    int[][] shapes = {{1, 1, 0}, {3, 2, 1}, {3, 1, 2}, {5, 4, 1}, {6, 4, 2}, {7, 3, 2}, {4, 2, 0}};
    for (int[] shape : shapes) {
      for (long rows : new long[] {1, 2, 17, 1000, 12_345}) {
        StripeMap map = StripeMap.of(shape[0], shape[1], shape[2], rows);
        for (int server = 0; server < shape[0]; server++) {
          OwnedRows owned = new OwnedRows(map, server);
          long step = 0;
          for (long row = 0; row < rows; row++) {
            boolean own = map.serverOfRow(row) == server;
            assertEquals(own ? map.indexOfRow(row) : OwnedRows.NOT_OWNED, owned.placeOf(row));
            assertEquals(step, owned.stepFrom(row));
            if (own) {
              assertEquals(row, owned.rowOfStep(step));
              step++;
            }
          }
          assertEquals(OwnedRows.OUT_OF_RANGE, owned.placeOf(rows));
          assertEquals(OwnedRows.OUT_OF_RANGE, owned.placeOf(-1));
        }
      }
    }
  }

  @Test
  void shouldAgreeWithTheStripeMapFarOut() {
    long rows = 1L << 40;
    StripeMap map = StripeMap.of(5, 4, 1, rows);
    for (long row = rows - 1; row > rows - 1000; row--) {
      OwnedRows owned = new OwnedRows(map, map.serverOfRow(row));
      assertEquals(map.indexOfRow(row), owned.placeOf(row));
      assertEquals(row, owned.rowOfStep(owned.stepFrom(row)));
    }
  }
}
