package io.holdfast.server.scrub;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Copies of all rows of some stripes, as differences from their initial values, with their
 * counters. Off heap, of fixed size, reused from pass to pass.
 */
final class StripeCopies {
  private final int k;
  private final int rowBytes;
  private final MemorySegment values;
  private final int[] counters;
  private final boolean[] captured;

  StripeCopies(int stripes, int k, int rowBytes, Arena arena) {
    this.k = k;
    this.rowBytes = rowBytes;
    values = arena.allocate((long) stripes * k * rowBytes, 64);
    counters = new int[stripes * k];
    captured = new boolean[stripes * k];
  }

  /** Forgets all rows of a stripe. */
  void clear(int stripe) {
    for (int member = 0; member < k; member++) {
      counters[stripe * k + member] = 0;
      captured[stripe * k + member] = false;
    }
  }

  /** Takes a row that was never updated, or that does not exist. */
  void captureInitial(int stripe, int member) {
    values.asSlice(offset(stripe, member), rowBytes).fill((byte) 0);
    counters[stripe * k + member] = 0;
    captured[stripe * k + member] = true;
  }

  /** Takes a row. */
  void capture(int stripe, int member, int counter, MemorySegment from, long fromOffset) {
    MemorySegment.copy(from, fromOffset, values, offset(stripe, member), rowBytes);
    counters[stripe * k + member] = counter;
    captured[stripe * k + member] = true;
  }

  boolean isCaptured(int stripe, int member) {
    return captured[stripe * k + member];
  }

  int counter(int stripe, int member) {
    return counters[stripe * k + member];
  }

  void counter(int stripe, int member, int counter) {
    counters[stripe * k + member] = counter;
  }

  MemorySegment segment() {
    return values;
  }

  long offset(int stripe, int member) {
    return ((long) stripe * k + member) * rowBytes;
  }
}
