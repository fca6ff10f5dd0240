package io.holdfast.config.protocol;

import java.lang.foreign.MemorySegment;

/** Bytes that exist. */
record SegmentPayload(MemorySegment segment) implements Payload {
  @Override
  public long lengthBytes() {
    return segment.byteSize();
  }

  @Override
  public void writeTo(MemorySegment target, long offsetBytes) {
    MemorySegment.copy(segment, 0, target, offsetBytes, segment.byteSize());
  }
}
