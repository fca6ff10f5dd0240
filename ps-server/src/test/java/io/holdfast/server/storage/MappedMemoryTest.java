package io.holdfast.server.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

class MappedMemoryTest {
  @Test
  void shouldBeZeroAndWritableBeyondTwoGibibytes() {
    long bytes = (6L << 30) + 8;
    try (MappedMemory memory = MappedMemory.zeroed("a test", bytes, MemorySettings.DEFAULT)) {
      MemorySegment segment = memory.segment();
      assertEquals(bytes, segment.byteSize());
      assertEquals(0, segment.get(ValueLayout.JAVA_LONG_UNALIGNED, bytes - 8));
      segment.set(ValueLayout.JAVA_LONG_UNALIGNED, bytes - 8, 7);
      assertEquals(7, segment.get(ValueLayout.JAVA_LONG_UNALIGNED, bytes - 8));
      assertEquals(0, segment.address() % 64);
      assertThrows(
          IndexOutOfBoundsException.class,
          () -> segment.get(ValueLayout.JAVA_LONG_UNALIGNED, bytes - 7));
    }
  }

  @Test
  void shouldServeHugePages() {
    try (MappedMemory memory = MappedMemory.zeroed("a test", 8 << 20, new MemorySettings(true))) {
      memory.segment().fill((byte) 1);
      assertEquals(1, memory.segment().get(ValueLayout.JAVA_BYTE, (8 << 20) - 1));
    }
  }

  @Test
  void shouldRefuseAccessAfterClose() {
    MappedMemory memory = MappedMemory.zeroed("a test", 4096, MemorySettings.DEFAULT);
    memory.close();
    assertThrows(IllegalStateException.class, () -> memory.segment().get(ValueLayout.JAVA_BYTE, 0));
  }

  @Test
  void shouldSayWhatWasAskedAndWhatThereIs() {
    IllegalStateException error =
        assertThrows(
            IllegalStateException.class,
            () -> MappedMemory.zeroed("the rows of a test", 1L << 52, MemorySettings.DEFAULT));
    String message = error.getMessage();
    assertTrue(message.contains("the rows of a test"), message);
    assertTrue(message.contains("4194304.00 GiB"), message);
    assertTrue(message.contains("The host has"), message);
    assertTrue(message.contains("Use more servers"), message);
  }

  @Test
  void shouldCountTouchedPagesOnce() {
    try (MappedMemory memory = MappedMemory.zeroed("a test", 1 << 20, MemorySettings.DEFAULT)) {
      assertEquals(0, memory.touchedBytes());
      memory.touch(100, 8);
      memory.touch(200, 8);
      assertEquals(4096, memory.touchedBytes());
      memory.touch(4090, 10);
      assertEquals(8192, memory.touchedBytes());
      memory.touch(0, 1 << 20);
      assertEquals(1 << 20, memory.touchedBytes());
    }
  }
}
