package io.holdfast.erasure;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Checks of arguments that all codes share. Messages say which unit is wrong and what it should be.
 */
final class Ranges {

  private Ranges() {}

  static void checkLength(long lengthBytes, int granularityBytes) {
    if (lengthBytes < 0 || lengthBytes % granularityBytes != 0) {
      throw new IllegalArgumentException(
          "length is %d bytes; it must be a multiple of %d and not negative"
              .formatted(lengthBytes, granularityBytes));
    }
  }

  /** Checks one readable range: bounds, and that its arena is open and usable by this thread. */
  static void checkSource(MemorySegment segment, long offset, long lengthBytes, String what) {
    if (offset < 0 || offset > segment.byteSize() - lengthBytes) {
      throw new IndexOutOfBoundsException(
          "%s: offset %d and length %d do not fit into a segment of %d bytes"
              .formatted(what, offset, lengthBytes, segment.byteSize()));
    }
    if (lengthBytes > 0) {
      // Throws if the arena is closed or belongs to another thread.
      byte _ = segment.get(ValueLayout.JAVA_BYTE, offset);
    }
  }

  /** As {@link #checkSource}, and the range must be writable. */
  static void checkTarget(MemorySegment segment, long offset, long lengthBytes, String what) {
    checkSource(segment, offset, lengthBytes, what);
    if (segment.isReadOnly()) {
      throw new IllegalArgumentException(what + " is a read-only segment");
    }
  }

  static void checkSources(
      MemorySegment[] segments, long[] offsets, int expected, long lengthBytes, String what) {
    checkCount(segments, offsets, expected, what);
    for (int i = 0; i < expected; i++) {
      checkSource(segments[i], offsets[i], lengthBytes, what);
    }
  }

  static void checkTargets(
      MemorySegment[] segments, long[] offsets, int expected, long lengthBytes, String what) {
    checkCount(segments, offsets, expected, what);
    for (int i = 0; i < expected; i++) {
      checkTarget(segments[i], offsets[i], lengthBytes, what);
    }
  }

  private static void checkCount(
      MemorySegment[] segments, long[] offsets, int expected, String what) {
    if (segments.length != expected || offsets.length != expected) {
      throw new IllegalArgumentException(
          "%d %s segments and %d offsets were given; this needs %d of each"
              .formatted(segments.length, what, offsets.length, expected));
    }
  }

  static void checkIndex(int index, int count, String what) {
    if (index < 0 || index >= count) {
      throw new IllegalArgumentException(
          "%s %d does not exist; they are 0 to %d".formatted(what, index, count - 1));
    }
  }

  /** The size that all segments have in common. */
  static long commonSizeBytes(MemorySegment[] some, MemorySegment[] others) {
    if (some.length == 0) {
      throw new IllegalArgumentException("no segments were given");
    }
    long sizeBytes = some[0].byteSize();
    for (MemorySegment[] segments : new MemorySegment[][] {some, others}) {
      for (MemorySegment segment : segments) {
        if (segment.byteSize() != sizeBytes) {
          throw new IllegalArgumentException(
              "segments of %d and %d bytes were given; units must be equally long"
                  .formatted(sizeBytes, segment.byteSize()));
        }
      }
    }
    return sizeBytes;
  }
}
