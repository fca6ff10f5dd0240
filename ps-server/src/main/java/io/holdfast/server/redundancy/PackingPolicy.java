package io.holdfast.server.redundancy;

import io.holdfast.erasure.DeltaPacking;

/**
 * Decides for one stream which messages {@link DeltaPacking} is tried on. What did not pay is left
 * alone for a while: after one failure the next message goes out as it is, after two in a row the
 * next three, then seven, and so on up to {@value #MOST_SKIPPED}. One success forgets that. One
 * thread at a time.
 */
public final class PackingPolicy {
  private static final int MOST_SKIPPED = 127;

  /** Too short to earn a packed message's header and the receiver's second step. */
  private static final int FEWEST_FLOATS = 64;

  private int skip;
  private int skipNext = 1;

  /**
   * Whether to try the next message. If so, {@link #tried} must follow.
   *
   * @param floats of the message
   */
  public boolean shouldTry(int floats) {
    if (floats < FEWEST_FLOATS) {
      return false;
    }
    if (skip > 0) {
      skip--;
      return false;
    }
    return true;
  }

  /**
   * Tells how it went.
   *
   * @param packedBytes what {@link DeltaPacking#pack} returned
   */
  public void tried(int packedBytes) {
    if (packedBytes >= 0) {
      skipNext = 1;
    } else {
      skip = skipNext;
      skipNext = Math.min(2 * skipNext + 1, MOST_SKIPPED);
    }
  }
}
