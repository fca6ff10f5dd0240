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
    {1, 0}, {1, 1}, {2, 1}, {3, 1}, {4, 1}, {8, 1}, {1, 2}, {2, 2}, {4, 2}, {6, 3}, {10, 4}
  };
  private static final int[][] LARGE = {
    {100, 4, 1}, {100, 10, 4}, {128, 2, 2}, {199, 4, 2}, {200, 2, 1}, {200, 4, 2}, {200, 10, 4}
  };

  /** Up to so many servers, all codes are tried. */
  private static final int MOST_OF_EVERY = 9;

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
    for (int n = 2; n <= MOST_OF_EVERY; n++) {
      for (int k = 1; k < n; k++) {
        for (int r = 1; k + r <= n; r++) {
          check.on(map(n, k, r));
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

  /** The last cycle, and each table, may end anywhere: shares must not be even per cycle only. */
  @Test
  void shouldShareEquallyWithinEachRotation() {
    onAll(
        map -> {
          int n = map.servers();
          for (int rotation = 0; rotation < map.stripesPerCycle() / n; rotation++) {
            int[] data = new int[n];
            int[] parity = new int[n];
            for (int stripe = rotation * n; stripe < (rotation + 1) * n; stripe++) {
              for (int position = 0; position < map.k() + map.r(); position++) {
                int[] shares = position < map.k() ? data : parity;
                int share = ++shares[map.serverOf(stripe, position)];
                // A lead over others is at most one stripe for each position.
                assertTrue(share <= (position < map.k() ? map.k() : map.r()), name(map));
              }
            }
            for (int server = 0; server < n; server++) {
              assertEquals(map.k(), data[server], name(map) + " rotation " + rotation);
              assertEquals(map.r(), parity[server], name(map) + " rotation " + rotation);
            }
          }
        });
  }

  /** What a survivor does of something, for each server that may fail. */
  private static final class Load {
    final String what;
    final long[][] byFailedAndSurvivor;

    Load(String what, int servers) {
      this.what = what;
      byFailedAndSurvivor = new long[servers][servers];
    }

    void assertEven(StripeMap map) {
      for (int failed = 0; failed < map.servers(); failed++) {
        long sum = 0;
        long least = Long.MAX_VALUE;
        long most = 0;
        for (int survivor = 0; survivor < map.servers(); survivor++) {
          if (survivor != failed) {
            long load = byFailedAndSurvivor[failed][survivor];
            sum += load;
            least = Math.min(least, load);
            most = Math.max(most, load);
          }
        }
        double even = (double) sum / (map.servers() - 1);
        // In long cycles of many servers the search ends, and one stripe more or less remains.
        int rest = even > 10 ? 1 : 0;
        assertTrue(
            most <= 1.1 * even + rest && least >= 0.9 * even - rest,
            "%s: %s, %d failed: survivors have %d to %d, even would be %.1f"
                .formatted(name(map), what, failed, least, most, even));
      }
    }
  }

  /**
   * A lost row's stand-in is the server of its stripe's first parity, which reads the other data
   * members; a lost parity is made of all data members anew.
   */
  @Test
  void shouldSpreadAFailuresWorkEvenlyOverSurvivors() {
    onAll(
        map -> {
          if (map.r() == 0) {
            return;
          }
          int n = map.servers();
          int k = map.k();
          Load shared = new Load("shared stripes", n);
          Load standIns = new Load("rows to stand in for", n);
          Load reads = new Load("units read to rebuild", n);
          Load differences = new Load("parities of a server's rows", n);
          int[] members = new int[k + map.r()];
          for (long stripe = 0; stripe < map.stripesPerCycle(); stripe++) {
            for (int position = 0; position < members.length; position++) {
              members[position] = map.serverOf(stripe, position);
            }
            for (int lost = 0; lost < members.length; lost++) {
              for (int other = 0; other < members.length; other++) {
                if (other == lost) {
                  continue;
                }
                int failed = members[lost];
                int survivor = members[other];
                shared.byFailedAndSurvivor[failed][survivor]++;
                if (other < k || (lost < k && other == k)) {
                  reads.byFailedAndSurvivor[failed][survivor]++;
                }
                if (lost < k && other == k) {
                  standIns.byFailedAndSurvivor[failed][survivor]++;
                }
                if (lost < k && other >= k) {
                  differences.byFailedAndSurvivor[failed][survivor]++;
                }
              }
            }
          }
          shared.assertEven(map);
          standIns.assertEven(map);
          reads.assertEven(map);
          differences.assertEven(map);
        });
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
