package io.holdfast.server.transaction;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class StagingAreaTest {
  @Test
  void shouldNeverGiveTwoBlocksTheSameMemory() {
    for (long seed = 0; seed < 20; seed++) {
      Random random = new Random(seed);
      try (StagingArea area = new StagingArea("a test", 1 << 14)) {
        List<MemorySegment> taken = new ArrayList<>();
        long used = 0;
        for (int i = 0; i < 2000; i++) {
          if (random.nextBoolean()) {
            MemorySegment block = area.take(random.nextInt(2000));
            if (block != null) {
              block.fill((byte) block.address());
              block.set(ValueLayout.JAVA_LONG_UNALIGNED, 0, block.address());
              block.set(ValueLayout.JAVA_LONG_UNALIGNED, block.byteSize() - 8, block.byteSize());
              taken.add(block);
              used += block.byteSize();
            }
          } else if (!taken.isEmpty()) {
            MemorySegment block = taken.remove(random.nextInt(taken.size()));
            if (block.byteSize() > 8) {
              assertEquals(block.address(), block.get(ValueLayout.JAVA_LONG_UNALIGNED, 0));
            }
            assertEquals(
                block.byteSize(),
                block.get(ValueLayout.JAVA_LONG_UNALIGNED, block.byteSize() - 8),
                "seed " + seed);
            used -= block.byteSize();
            area.release(block);
          }
          assertEquals(used, area.usedBytes());
        }
        taken.forEach(area::release);
        // Everything was joined again.
        assertNotNull(area.take(1 << 14));
        assertNull(area.take(1));
      }
    }
  }

  @Test
  void shouldGiveAlignedBlocksEvenForNothing() {
    try (StagingArea area = new StagingArea("a test", 256)) {
      for (int i = 0; i < 4; i++) {
        MemorySegment block = area.take(i * 20L);
        assertEquals(0, block.address() % 64);
        assertEquals(64, block.byteSize());
      }
      assertNull(area.take(0));
    }
  }
}
