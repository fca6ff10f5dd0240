package io.holdfast.criteo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.criteo.IdMapping.Kind;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class IdMappingTest {
  @Test
  void shouldTakeUnsignedRemainders() {
    SplittableRandom random = new SplittableRandom(7);
    for (int i = 0; i < 20_000; i++) {
      long[] rows = new long[26];
      for (int column = 0; column < 26; column++) {
        rows[column] = 1L + (random.nextInt(Integer.MAX_VALUE - 1) >>> random.nextInt(31));
      }
      rows[0] = 1;
      rows[1] = Integer.MAX_VALUE;
      rows[2] = 1 << 30;
      IdMapping mapping = new IdMapping(Kind.MODULO, rows);
      for (int column = 0; column < 26; column++) {
        int value = column == 3 ? -1 : random.nextInt();
        assertEquals(
            Integer.toUnsignedLong(value) % rows[column],
            mapping.row(column, value),
            value + " modulo " + rows[column]);
      }
    }
  }

  @Test
  void shouldSpreadHashesEvenlyAndDifferentlyInEachColumn() {
    long[] rows = new long[26];
    Arrays.fill(rows, 100);
    IdMapping mapping = new IdMapping(Kind.HASH, rows);
    int[][] counts = new int[26][100];
    int equal = 0;
    for (int value = 0; value < 10_000; value++) {
      for (int column = 0; column < 26; column++) {
        counts[column][mapping.row(column, value)]++;
      }
      equal += mapping.row(0, value) == mapping.row(1, value) ? 1 : 0;
    }
    for (int[] column : counts) {
      // 100 expected in each; the standard deviation is 10.
      assertTrue(Arrays.stream(column).allMatch(c -> c > 40 && c < 160), Arrays.toString(column));
    }
    assertTrue(equal > 40 && equal < 160, "columns agree on " + equal + " of 10000 values");
  }

  @Test
  void shouldGiveUnusedColumnsIdZero() {
    for (Kind kind : Kind.values()) {
      assertEquals(0, new IdMapping(kind, new long[26]).row(5, 12345));
    }
  }

  @Test
  void shouldRefuseImpossibleRowCounts() {
    long[] rows = new long[26];
    rows[4] = 1L << 31;
    Exception e =
        assertThrows(IllegalArgumentException.class, () -> new IdMapping(Kind.HASH, rows));
    assertTrue(e.getMessage().contains("C5"), e.getMessage());
    assertThrows(IllegalArgumentException.class, () -> new IdMapping(Kind.MODULO, new long[25]));
  }
}
