package io.holdfast.server.scrub;

import java.lang.foreign.MemorySegment;

/** The rows that a server owns. */
public interface OwnRows {
  boolean owns(long row);

  /** Updates of an own row; 0: it is as it was initialised. */
  int counter(long row);

  /** Writes what has changed in an own row since it was initialised, as the code has it. */
  void writeDifference(long row, MemorySegment target, long offsetBytes);

  /**
   * Puts an own row right, if it still has the counter with which it was found wrong.
   *
   * @param difference of the right row from its initial one
   * @return whether it had
   */
  boolean repair(
      long row, int foundCounter, int rightCounter, MemorySegment difference, long offsetBytes);
}
