package io.holdfast.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class SpreadTest {
  @Test
  void shouldTakeTheMiddleOfRounds() {
    assertEquals(new Spread(3, 1, 9, 3), Spread.of(9, 1, 3));
    assertEquals(new Spread(2.5, 1, 9, 4), Spread.of(9, 1, 3, 2));
    assertEquals(new Spread(7, 7, 7, 1), Spread.of(7));
  }

  @Test
  void shouldRefuseToSummariseNothing() {
    assertThrows(IllegalArgumentException.class, Spread::of);
  }

  @Test
  void shouldReadAndNameSizes() {
    Sizes sizes = new Sizes();
    for (String text : new String[] {"100", "32k", "8m", "1g", "1536k"}) {
      assertEquals(text, Sizes.name(sizes.convert(text)));
    }
    assertEquals("1k", Sizes.name(1024));
  }
}
