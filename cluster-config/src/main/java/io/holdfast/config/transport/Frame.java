package io.holdfast.config.transport;

import java.lang.foreign.MemorySegment;
import org.agrona.concurrent.UnsafeBuffer;

/** A pooled piece of native memory that holds one encoded message. One owner at a time. */
public final class Frame {
  private final MemorySegment segment;
  private final UnsafeBuffer buffer;
  private int lengthBytes;

  Frame(MemorySegment segment) {
    this.segment = segment;
    this.buffer = new UnsafeBuffer(segment.address(), Math.toIntExact(segment.byteSize()));
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
}
