package io.holdfast.server.transaction;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class SequenceSetTest {
  @Test
  void shouldBehaveAsASortedSet() {
    for (long seed = 0; seed < 50; seed++) {
      Random random = new Random(seed);
      SequenceSet set = new SequenceSet();
      TreeSet<Long> expected = new TreeSet<>();
      for (int i = 0; i < 300; i++) {
        long sequence = random.nextInt(60);
        switch (random.nextInt(8)) {
          case 0 -> {
            set.remove(sequence);
            expected.remove(sequence);
          }
          case 1 -> {
            long upTo = sequence / 4;
            set.removeUpTo(upTo);
            expected.headSet(upTo, true).clear();
          }
          default -> {
            set.add(sequence);
            expected.add(sequence);
          }
        }
        assertEquals(List.copyOf(expected), set.toList(), "seed " + seed);
        assertEquals(expected.contains(sequence), set.contains(sequence));
        assertEquals(expected.isEmpty() ? Long.MAX_VALUE : expected.first(), set.first());
        assertEquals(expected.size(), set.size());
      }
    }
  }
}
