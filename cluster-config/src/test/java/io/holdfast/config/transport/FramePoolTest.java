package io.holdfast.config.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class FramePoolTest {
  private static final long MEGABYTE = 1 << 20;

  @Test
  void shouldUseFramesAgain() {
    try (FramePool pool = new FramePool()) {
      Frame first = pool.take(1000);
      assertEquals(1024, first.capacityBytes());
      assertEquals(1000, first.lengthBytes());
      assertEquals(1000, first.used().byteSize());
      pool.recycle(first);
      assertSame(first, pool.take(600));
      assertNotSame(first, pool.take(600));
      pool.recycle(first);
    }
  }

  @Test
  void shouldGiveFramesOfAnyPossibleLength() {
    try (FramePool pool = new FramePool()) {
      for (int length : new int[] {0, 1, 255, 256, 257, 1 << 24}) {
        Frame frame = pool.take(length);
        assertEquals(length, frame.lengthBytes());
        assertTrue(frame.capacityBytes() >= Math.max(256, length));
        pool.recycle(frame);
      }
      assertThrows(IllegalArgumentException.class, () -> pool.take(-1));
      assertThrows(IllegalArgumentException.class, () -> pool.take((1 << 24) + 1));
    }
  }

  @Test
  void shouldReturnMemoryOfFramesThatItDoesNotKeep() {
    try (FramePool pool = new FramePool()) {
      List<Frame> taken = new ArrayList<>();
      for (int i = 0; i < 20_000; i++) {
        taken.add(pool.take(256));
      }
      assertEquals(20_000L * 256, pool.allocatedBytes());
      taken.forEach(pool::recycle);
      assertEquals(16_384L * 256, pool.allocatedBytes());
      assertEquals(0, pool.usedBytes());
    }
  }

  @Test
  void shouldStayWithinItsBound() {
    try (FramePool pool = new FramePool(32 * MEGABYTE)) {
      List<Frame> small = new ArrayList<>();
      for (int i = 0; i < 32; i++) {
        small.add(pool.take((int) MEGABYTE));
      }
      IllegalStateException thrown = assertThrows(IllegalStateException.class, () -> pool.take(1));
      assertTrue(thrown.getMessage().contains("windows are too large"), thrown.getMessage());
      small.forEach(pool::recycle);
      // Free frames of one size make room for another.
      Frame large = pool.take((int) (16 * MEGABYTE));
      assertEquals(16 * MEGABYTE, pool.usedBytes());
      assertTrue(pool.allocatedBytes() <= 32 * MEGABYTE, "held " + pool.allocatedBytes());
      pool.recycle(large);
    }
  }

  @Test
  void shouldRefuseBoundBelowLongestFrame() {
    assertThrows(IllegalArgumentException.class, () -> new FramePool(MEGABYTE));
  }

  @Test
  void shouldNoticeFrameThatComesBackTwice() {
    try (FramePool pool = new FramePool()) {
      Frame frame = pool.take(10);
      pool.recycle(frame);
      assertThrows(IllegalStateException.class, () -> pool.recycle(frame));
    }
  }

  @Test
  void shouldReleaseFramesInUseWhenTheyComeBackAfterClose() {
    FramePool pool = new FramePool();
    Frame frame = pool.take(10);
    pool.recycle(pool.take(5000));
    pool.close();
    assertEquals(256, pool.allocatedBytes());
    frame.segment().fill((byte) 1);
    pool.recycle(frame);
    assertEquals(0, pool.allocatedBytes());
  }

  @Test
  void shouldNeverGiveOneFrameToTwo() throws InterruptedException {
    try (FramePool pool = new FramePool(64 * MEGABYTE)) {
      AtomicReference<Throwable> failure = new AtomicReference<>();
      List<Thread> threads = new ArrayList<>();
      for (int t = 0; t < 3; t++) {
        byte mark = (byte) (t + 1);
        Thread thread = new Thread(() -> takeAndCheck(pool, mark));
        thread.setUncaughtExceptionHandler((self, error) -> failure.set(error));
        threads.add(thread);
        thread.start();
      }
      for (Thread thread : threads) {
        thread.join();
      }
      assertEquals(null, failure.get());
      assertEquals(0, pool.usedBytes());
      assertTrue(pool.allocatedBytes() <= 64 * MEGABYTE, "held " + pool.allocatedBytes());
    }
  }

  private static void takeAndCheck(FramePool pool, byte mark) {
    Random random = new Random(mark);
    List<Frame> mine = new ArrayList<>();
    for (int i = 0; i < 20_000; i++) {
      if (mine.size() < 20) {
        Frame frame = pool.take(256 << random.nextInt(4));
        frame.segment().fill(mark);
        mine.add(frame);
      } else {
        Frame frame = mine.remove(random.nextInt(mine.size()));
        assertEquals(mark, frame.buffer().getByte(frame.capacityBytes() - 1));
        pool.recycle(frame);
      }
    }
    mine.forEach(pool::recycle);
  }
}
