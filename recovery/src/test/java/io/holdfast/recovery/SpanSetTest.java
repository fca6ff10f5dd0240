package io.holdfast.recovery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.BitSet;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class SpanSetTest {
  @Test
  void shouldAgreeWithBits() {
    for (long seed = 1; seed <= 500; seed++) {
      Random random = new Random(seed);
      SpanSet set = new SpanSet();
      BitSet bits = new BitSet();
      for (int i = 0; i < 30; i++) {
        int from = random.nextInt(60);
        int to = from + random.nextInt(10);
        Span span = new Span(1, 2, from, to);
        if (bits.get(from, to).isEmpty()) {
          set.add(span);
          bits.set(from, to);
        } else {
          assertThrows(SpanSet.OverlapException.class, () -> set.add(span), "seed " + seed);
        }
        int a = random.nextInt(70);
        Span window = new Span(1, 2, a, a + random.nextInt(20));
        assertEquals(bits(bits, window, true), bits(set.present(window)), "seed " + seed);
        assertEquals(bits(bits, window, false), bits(set.missing(window)), "seed " + seed);
      }
      assertEquals(bits, bits(set.spans()), "seed " + seed);
      assertEquals(List.of(new Span(0, 2, 3, 4)), set.missing(new Span(0, 2, 3, 4)));
    }
  }

  private static BitSet bits(BitSet all, Span window, boolean value) {
    BitSet result = new BitSet();
    for (int at = (int) window.from(); at < window.to(); at++) {
      result.set(at, all.get(at) == value);
    }
    return result;
  }

  private static BitSet bits(List<Span> spans) {
    BitSet result = new BitSet();
    spans.forEach(span -> result.set((int) span.from(), (int) span.to()));
    return result;
  }
}
