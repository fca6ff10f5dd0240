package io.holdfast.server.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class FoldCountersTest {
  @Test
  void shouldHoldWholeIntsInTwoBytesEach() {
    Random random = new Random(4);
    int k = 3;
    try (FoldCounters counters = new FoldCounters("a test", 100, k)) {
      Map<Integer, Integer> expected = new HashMap<>();
      for (int i = 0; i < 20_000; i++) {
        int at = random.nextInt(100 * k);
        int value =
            switch (random.nextInt(4)) {
              case 0 -> random.nextInt(5);
              case 1 -> 65_535 + random.nextInt(3);
              case 2 -> random.nextInt(Integer.MAX_VALUE);
              default -> expected.getOrDefault(at, 0) & (Integer.MAX_VALUE - 1);
            };
        counters.set(at / k, at % k, value);
        expected.put(at, value);
        int seen = random.nextInt(100 * k);
        assertEquals(expected.getOrDefault(seen, 0), counters.get(seen / k, seen % k));
      }
      expected.forEach((at, value) -> assertEquals(value, counters.get(at / k, at % k)));
      assertEquals(100L * k * 2, counters.reservedBytes());
    }
  }

  @Test
  void shouldCountOnBeyondTwoBytes() {
    try (FoldCounters counters = new FoldCounters("a test", 4, 2)) {
      for (int count = 1; count < 200_000; count++) {
        counters.set(3, 1, counters.get(3, 1) + 1);
        assertEquals(count, counters.get(3, 1));
      }
      assertEquals(0, counters.get(3, 0));
    }
  }
}
