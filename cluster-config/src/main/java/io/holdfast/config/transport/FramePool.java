package io.holdfast.config.transport;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.atomic.LongAdder;
import org.agrona.concurrent.ManyToManyConcurrentArrayQueue;

/**
 * Frames in power-of-two sizes, shared by all threads of a process. Never holds more than a fixed
 * amount of memory: free frames are kept up to 256 MiB of each size (at least 16, at most 16,384
 * frames), others go back to the system at once, and when the bound is reached free frames of other
 * sizes are released before a new one is refused.
 */
public final class FramePool implements AutoCloseable {
  private static final int SMALLEST_BITS = 8;
  private static final int LARGEST_BITS = 24;
  private static final int KEPT_BITS = 28;
  private static final long DEFAULT_MAX_BYTES = 4L << 30;

  private final long maxBytes;
  private final AtomicLong allocatedBytes = new AtomicLong();
  private final LongAdder usedBytes = new LongAdder();
  private volatile boolean closed;

  /** Made when the first frame of a size comes back: a queue for many small frames is large. */
  private final AtomicReferenceArray<ManyToManyConcurrentArrayQueue<Frame>> free =
      new AtomicReferenceArray<>(LARGEST_BITS + 1);

  /** A pool of at most 4 GiB. */
  public FramePool() {
    this(DEFAULT_MAX_BYTES);
  }

  /**
   * A pool.
   *
   * @param maxBytes of all frames together, used and free
   */
  public FramePool(long maxBytes) {
    if (maxBytes < maxLengthBytes()) {
      throw new IllegalArgumentException(
          "a pool of "
              + maxBytes
              + " bytes cannot hold the longest frame of "
              + maxLengthBytes()
              + " bytes");
    }
    this.maxBytes = maxBytes;
  }

  /** Longest frame that there can be, in bytes. */
  public static int maxLengthBytes() {
    return 1 << LARGEST_BITS;
  }

  /**
   * A frame of at least a length; its content is whatever it was.
   *
   * @throws IllegalArgumentException beyond {@link #maxLengthBytes}
   * @throws IllegalStateException if the frames in use leave no room within the pool's bound
   */
  public Frame take(int lengthBytes) {
    if (lengthBytes < 0 || lengthBytes > maxLengthBytes()) {
      throw new IllegalArgumentException(
          "a frame of " + lengthBytes + " bytes; at most " + maxLengthBytes() + " are possible");
    }
    int bits = bitsFor(lengthBytes);
    Frame frame = takeFree(bits);
    if (frame == null) {
      frame = allocate(bits);
    }
    frame.leavePool();
    frame.lengthBytes(lengthBytes);
    usedBytes.add(frame.capacityBytes());
    return frame;
  }

  private Frame takeFree(int bits) {
    ManyToManyConcurrentArrayQueue<Frame> queue = free.get(bits);
    return queue == null ? null : queue.poll();
  }

  private ManyToManyConcurrentArrayQueue<Frame> queue(int bits) {
    ManyToManyConcurrentArrayQueue<Frame> queue = free.get(bits);
    if (queue == null) {
      int capacity = 1 << Math.clamp(KEPT_BITS - bits, 4, 14);
      free.compareAndSet(bits, null, new ManyToManyConcurrentArrayQueue<>(capacity));
      queue = free.get(bits);
    }
    return queue;
  }

  private static int bitsFor(int lengthBytes) {
    int rounded = Integer.SIZE - Integer.numberOfLeadingZeros(Math.max(1, lengthBytes) - 1);
    return Math.max(SMALLEST_BITS, rounded);
  }

  private Frame allocate(int bits) {
    int capacity = 1 << bits;
    reserve(capacity);
    try {
      return new Frame(capacity);
    } catch (OutOfMemoryError e) {
      allocatedBytes.addAndGet(-capacity);
      throw e;
    }
  }

  private void reserve(int capacity) {
    while (true) {
      long held = allocatedBytes.get();
      if (held + capacity > maxBytes) {
        releaseFree(maxBytes - capacity);
        held = allocatedBytes.get();
      }
      if (held + capacity > maxBytes) {
        throw new IllegalStateException(
            "no room for a frame of "
                + capacity
                + " bytes: frames in use hold "
                + usedBytes.sum()
                + " of at most "
                + maxBytes
                + " bytes. Peers do not take what is sent to them, or windows are too large");
      }
      if (allocatedBytes.compareAndSet(held, held + capacity)) {
        return;
      }
    }
  }

  /** Releases free frames, the largest first, until no more than {@code goal} bytes are held. */
  private void releaseFree(long goal) {
    for (int bits = LARGEST_BITS; bits >= SMALLEST_BITS; bits--) {
      while (allocatedBytes.get() > goal) {
        Frame frame = takeFree(bits);
        if (frame == null) {
          break;
        }
        release(frame);
      }
    }
  }

  private void release(Frame frame) {
    int capacity = frame.capacityBytes();
    frame.release();
    allocatedBytes.addAndGet(-capacity);
  }

  /**
   * Gives a frame back. The caller must not touch it any more.
   *
   * @throws IllegalStateException if it was given back already
   */
  public void recycle(Frame frame) {
    int capacity = frame.capacityBytes();
    frame.enterPool();
    usedBytes.add(-capacity);
    int bits = Integer.numberOfTrailingZeros(capacity);
    if (!queue(bits).offer(frame)) {
      release(frame);
    }
    if (closed) {
      releaseFree(0);
    }
  }

  /** Memory that this pool holds, in use and free. */
  public long allocatedBytes() {
    return allocatedBytes.get();
  }

  /** Memory of the frames that were taken and not yet given back. */
  public long usedBytes() {
    return usedBytes.sum();
  }

  /**
   * Releases the free frames. Those still in use are released when they are given back, so that
   * nobody writes into memory that is gone.
   */
  @Override
  public void close() {
    closed = true;
    releaseFree(0);
  }
}
