package io.holdfast.server.scrub;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** A fast digest of memory: finds damage, not forgery. */
public final class Digest64 {
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;
  private static final long PRIME_1 = 0x9E3779B185EBCA87L;
  private static final long PRIME_2 = 0xC2B2AE3D27D4EB4FL;

  private Digest64() {}

  /**
   * The digest of a segment whose length is a multiple of 4 bytes. Every step is a bijection of the
   * state for fixed bytes and of the bytes for a fixed state, so that no single change is lost.
   */
  public static long of(MemorySegment bytes) {
    long length = bytes.byteSize();
    long state = length * PRIME_1;
    long at = 0;
    for (; at + Long.BYTES <= length; at += Long.BYTES) {
      state = step(state, bytes.get(LONG, at));
    }
    for (; at < length; at += Integer.BYTES) {
      state = step(state, bytes.get(INT, at));
    }
    state ^= state >>> 33;
    state *= PRIME_2;
    return state ^ state >>> 29;
  }

  private static long step(long state, long word) {
    return Long.rotateLeft(state ^ word * PRIME_2, 31) * PRIME_1;
  }
}
