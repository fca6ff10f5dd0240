package io.holdfast.config.placement;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.BitSet;
import java.util.Random;
import org.junit.jupiter.api.Test;

class StripeMapTest {
  private static final int[] SERVERS = {2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 16, 21, 25, 32, 50, 64};
  private static final int[][] CODES = {
    {1, 0}, {1, 1}, {2, 1}, {4, 1}, {2, 2}, {4, 2}, {6, 3}, {10, 4}
  };
  private static final int[][] LARGE = {
    {100, 4, 1}, {100, 10, 4}, {128, 2, 2}, {199, 4, 2}, {200, 2, 1}, {200, 4, 2}, {200, 10, 4}
  };

  private interface Check {
    void on(StripeMap map);
  }

  private static void onAll(Check check) {
    for (int n : SERVERS) {
      for (int[] code : CODES) {
        if (n >= code[0] + code[1]) {
          check.on(map(n, code[0], code[1]));
        }
      }
    }
    for (int[] large : LARGE) {
      check.on(map(large[0], large[1], large[2]));
    }
  }

  private static StripeMap map(int servers, int k, int r) {
    return StripeMap.of(servers, k, r, 1_000_003);
  }

  private static String name(StripeMap map) {
    return "n=" + map.servers() + " k=" + map.k() + " r=" + map.r();
  }

  @Test
  void shouldPutMembersOfAStripeOnDifferentServers() {
    onAll(
        map -> {
          for (long stripe = 0; stripe < map.stripesPerCycle(); stripe++) {
            BitSet used = new BitSet();
            for (int position = 0; position < map.k() + map.r(); position++) {
              used.set(map.serverOf(stripe, position));
            }
            assertEquals(map.k() + map.r(), used.cardinality(), name(map) + " stripe " + stripe);
          }
        });
  }

  @Test
  void shouldGiveEveryServerTheSameShareOfDataAndOfParity() {
    onAll(
        map -> {
          long[] data = new long[map.servers()];
          long[] parity = new long[map.servers()];
          for (long stripe = 0; stripe < map.stripesPerCycle(); stripe++) {
            for (int position = 0; position < map.k() + map.r(); position++) {
              (position < map.k() ? data : parity)[map.serverOf(stripe, position)]++;
            }
          }
          for (int server = 0; server < map.servers(); server++) {
            assertEquals(data[0], data[server], name(map));
            assertEquals(parity[0], parity[server], name(map));
          }
        });
  }

  @Test
  void shouldSpreadRebuildsEvenlyOverSurvivors() {
    onAll(
        map -> {
          int width = map.k() + map.r();
          long[][] shared = sharedStripes(map);
          for (int failed = 0; failed < map.servers(); failed++) {
            long least = Long.MAX_VALUE;
            long most = 0;
            for (int survivor = 0; survivor < map.servers(); survivor++) {
              if (survivor != failed) {
                least = Math.min(least, shared[failed][survivor]);
                most = Math.max(most, shared[failed][survivor]);
              }
            }
            if (width == 1) {
              assertEquals(0, most, name(map) + ": without redundancy nothing is shared");
            } else {
              assertTrue(
                  most <= 1.1 * least,
                  name(map) + ": survivors of " + failed + " share " + least + " to " + most);
            }
          }
        });
  }

  /** Stripes of a cycle that two servers share: what one reads when the other is rebuilt. */
  private static long[][] sharedStripes(StripeMap map) {
    long[][] shared = new long[map.servers()][map.servers()];
    int width = map.k() + map.r();
    for (long stripe = 0; stripe < map.stripesPerCycle(); stripe++) {
      for (int a = 0; a < width; a++) {
        for (int b = 0; b < width; b++) {
          shared[map.serverOf(stripe, a)][map.serverOf(stripe, b)]++;
        }
      }
    }
    return shared;
  }

  @Test
  void shouldFindRowsByServerAndIndex() {
    onAll(
        map -> {
          Random random = new Random(7);
          for (int i = 0; i < 500; i++) {
            long row = random.nextLong(map.rows());
            int server = map.serverOfRow(row);
            long index = map.indexOfRow(row);
            assertTrue(index >= 0 && index < map.dataCapacity(), name(map) + " row " + row);
            assertEquals(row, map.rowAt(server, index), name(map));
          }
        });
  }

  @Test
  void shouldFindParitiesByServerAndIndex() {
    onAll(
        map -> {
          Random random = new Random(8);
          for (int i = 0; i < 200 && map.r() > 0; i++) {
            long stripe = random.nextLong(map.stripes());
            int parity = random.nextInt(map.r());
            int server = map.serverOf(stripe, map.k() + parity);
            long index = map.indexOfParity(stripe, parity);
            assertTrue(index >= 0 && index < map.parityCapacity(), name(map));
            assertEquals(stripe, map.stripeOfParityAt(server, index), name(map));
          }
        });
  }

  @Test
  void shouldUseEveryPlaceOnceWhateverTheNumberOfRows() {
    for (long rows : new long[] {1, 2, 19, 20, 21, 399, 400, 1201}) {
      for (int[] code : CODES) {
        int n = code[0] + code[1] + 1;
        StripeMap map = StripeMap.of(n, code[0], code[1], rows);
        BitSet[] used = new BitSet[n];
        for (int server = 0; server < n; server++) {
          used[server] = new BitSet();
        }
        for (long row = 0; row < rows; row++) {
          int index = (int) map.indexOfRow(row);
          assertTrue(index < map.dataCapacity(), name(map));
          BitSet mine = used[map.serverOfRow(row)];
          assertTrue(!mine.get(index), name(map) + ": two rows in place " + index);
          mine.set(index);
        }
      }
    }
  }

  @Test
  void shouldAddressMoreRowsThanAnInt() {
    StripeMap map = StripeMap.of(200, 10, 4, 1L << 40);
    for (long row : new long[] {0, Integer.MAX_VALUE + 1L, (1L << 40) - 1}) {
      assertEquals(row, map.rowAt(map.serverOfRow(row), map.indexOfRow(row)));
    }
  }

  @Test
  void shouldBeTheSameInEveryProcess() {
    StripeMap one = map(13, 4, 2);
    StripeMap other = map(13, 4, 2);
    for (long stripe = 0; stripe < 2L * one.stripesPerCycle(); stripe++) {
      for (int position = 0; position < 6; position++) {
        assertEquals(one.serverOf(stripe, position), other.serverOf(stripe, position));
      }
    }
  }

  @Test
  void shouldRefuseTooFewServers() {
    for (int[] code : CODES) {
      int n = code[0] + code[1] - 1;
      IllegalArgumentException thrown =
          assertThrows(IllegalArgumentException.class, () -> map(n, code[0], code[1]));
      assertTrue(thrown.getMessage().contains("at least " + (n + 1)), thrown.getMessage());
    }
    assertThrows(IllegalArgumentException.class, () -> map(5, 0, 1));
    assertThrows(IllegalArgumentException.class, () -> map(5, 4, -1));
    assertThrows(IllegalArgumentException.class, () -> StripeMap.of(5, 4, 1, 0));
  }
}
