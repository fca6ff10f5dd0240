package io.holdfast.config.transport;

import java.lang.foreign.Arena;
import java.util.concurrent.atomic.AtomicLong;
import org.agrona.concurrent.ManyToManyConcurrentArrayQueue;

/**
 * Frames in power-of-two sizes, shared by all threads of a process. Frames that find their size's
 * queue full when they come back are kept from the pool but their memory stays until the pool is
 * closed; queues are sized so that this is rare, and {@link #allocatedBytes} shows it.
 */
public final class FramePool implements AutoCloseable {
  private static final int SMALLEST_BITS = 8;
  private static final int LARGEST_BITS = 24;
  private static final int QUEUE_CAPACITY = 4096;

  private final Arena arena = Arena.ofShared();
  private final AtomicLong allocatedBytes = new AtomicLong();

  @SuppressWarnings({"unchecked", "rawtypes"})
  private final ManyToManyConcurrentArrayQueue<Frame>[] free =
      new ManyToManyConcurrentArrayQueue[LARGEST_BITS + 1];

  public FramePool() {
    for (int bits = SMALLEST_BITS; bits <= LARGEST_BITS; bits++) {
      free[bits] = new ManyToManyConcurrentArrayQueue<>(QUEUE_CAPACITY);
    }
  }

  /** Longest frame that there can be, in bytes. */
  public static int maxLengthBytes() {
    return 1 << LARGEST_BITS;
  }

  /**
   * A frame of at least a length; its content is whatever it was.
   *
   * @throws IllegalArgumentException beyond {@link #maxLengthBytes}
   */
  public Frame take(int lengthBytes) {
    if (lengthBytes < 0 || lengthBytes > maxLengthBytes()) {
      throw new IllegalArgumentException(
          "a frame of " + lengthBytes + " bytes; at most " + maxLengthBytes() + " are possible");
    }
    int bits = Math.max(SMALLEST_BITS, 32 - Integer.numberOfLeadingZeros(lengthBytes - 1));
    Frame frame = free[bits].poll();
    if (frame == null) {
      allocatedBytes.addAndGet(1L << bits);
      frame = new Frame(arena.allocate(1L << bits, 64));
    }
    frame.lengthBytes(lengthBytes);
    return frame;
  }

  /** Gives a frame back. The caller must not touch it any more. */
  public void recycle(Frame frame) {
    int bits = 31 - Integer.numberOfLeadingZeros(frame.capacityBytes());
    // A full queue drops the frame: its memory is released with the pool.
    boolean kept = free[bits].offer(frame);
    assert kept || allocatedBytes.get() > 0;
  }

  /** Memory that this pool holds. */
  public long allocatedBytes() {
    return allocatedBytes.get();
  }

  @Override
  public void close() {
    arena.close();
  }
}
