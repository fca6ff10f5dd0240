package io.holdfast.config.transport;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.agrona.concurrent.UnsafeBuffer;

/** A pooled piece of native memory that holds one encoded message. One owner at a time. */
public final class Frame {
  private final Arena arena = Arena.ofShared();
  private final MemorySegment segment;
  private final UnsafeBuffer buffer;
  private int lengthBytes;

  /** Whether the pool owns it. Handed over with the frame, through the pool's queue. */
  private boolean pooled;

  Frame(int capacityBytes) {
    this.segment = arena.allocate(capacityBytes, 64);
    this.buffer = new UnsafeBuffer(segment.address(), capacityBytes);
  }

  /** All of the memory, of which {@link #lengthBytes} are used. */
  public MemorySegment segment() {
    return segment;
  }

  /** The same memory for SBE and Aeron. */
  public UnsafeBuffer buffer() {
    return buffer;
  }

  public int capacityBytes() {
    return buffer.capacity();
  }

  public int lengthBytes() {
    return lengthBytes;
  }

  /** Sets how many bytes are used. */
  public void lengthBytes(int lengthBytes) {
    this.lengthBytes = lengthBytes;
  }

  /** The used bytes. */
  public MemorySegment used() {
    return segment.asSlice(0, lengthBytes);
  }

  void leavePool() {
    pooled = false;
  }

  /**
   * Notes that the pool has it back.
   *
   * @throws IllegalStateException if it had it already: then two owners would write into it
   */
  void enterPool() {
    if (pooled) {
      throw new IllegalStateException(
          "a frame of " + capacityBytes() + " bytes was recycled twice");
    }
    pooled = true;
  }

  /** Gives the memory back to the system. Nobody may touch the frame any more. */
  void release() {
    buffer.wrap(0, 0);
    arena.close();
  }
}
