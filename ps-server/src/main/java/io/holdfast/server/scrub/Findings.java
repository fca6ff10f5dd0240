package io.holdfast.server.scrub;

import io.holdfast.config.protocol.DataMessage.Scrubbed;
import io.holdfast.config.protocol.Payload;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/** What a scrub has found so far. Numbers are those of {@link Scrubbed}. */
final class Findings {
  private static final int MEMBERS_MAX = 64;

  long compared;
  long rows;
  long wrong;
  long located;
  long repaired;
  double deviation;
  private final long[] members = new long[2 * MEMBERS_MAX];
  private int memberCount;

  /** Notes something wrong; the first ones are kept. */
  void member(long index, int position) {
    if (memberCount < MEMBERS_MAX) {
      members[2 * memberCount] = index;
      members[2 * memberCount + 1] = position;
      memberCount++;
    }
  }

  Scrubbed answer(long request, long next) {
    long[] told = Arrays.copyOf(members, 2 * memberCount);
    return new Scrubbed(
        request,
        next,
        compared,
        rows,
        wrong,
        located,
        repaired,
        deviation,
        Payload.of(MemorySegment.ofArray(told)));
  }
}
