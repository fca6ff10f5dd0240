package io.holdfast.config.protocol;

import java.lang.foreign.MemorySegment;

/**
 * The variable part of a message. A sender may hand over bytes that exist or a recipe that writes
 * them straight into the frame; a receiver always gets bytes in place, valid only until its handler
 * returns.
 */
public interface Payload {
  /** No bytes. */
  Payload EMPTY = of(MemorySegment.NULL);

  /** Bytes that exist. */
  static Payload of(MemorySegment segment) {
    return new SegmentPayload(segment);
  }

  /** Number of bytes. */
  long lengthBytes();

  /** Writes all bytes. */
  void writeTo(MemorySegment target, long offsetBytes);

  /**
   * The bytes in place.
   *
   * @throws UnsupportedOperationException for a recipe
   */
  default MemorySegment segment() {
    throw new UnsupportedOperationException("these bytes are written on demand");
  }
}
