package io.holdfast.server.scrub;

import java.lang.foreign.MemorySegment;

/**
 * The parities that a server keeps, by their place ({@link
 * io.holdfast.config.placement.StripeMap#indexOfParity}).
 */
public interface KeptParities {
  /** Whether anything was ever folded into a parity. Cheap. */
  boolean isTouched(long place);

  /** Updates of a member's row that are folded. */
  int counter(long place, int member);

  /** The parities' memory. */
  MemorySegment segment();

  /** Where in it a parity starts, bytes. */
  long offset(long place);

  /**
   * Puts a parity right.
   *
   * @param values its bytes
   * @param counters k of them
   */
  void replace(long place, MemorySegment values, long offsetBytes, int[] counters);
}
