package io.holdfast.server.scrub;

import io.holdfast.erasure.CodeKind;
import io.holdfast.erasure.Decoder;
import io.holdfast.erasure.ErasureCode;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Does a parity fit the rows that it protects, and if not, who is wrong? Arithmetic only. */
final class StripeCheck {
  /**
   * Rounding of a float sum, relative to the largest value of its stripe, that is taken for right:
   * so much for each update, at most {@link #SUM_BOUND_MAX}.
   */
  private static final double SUM_BOUND_PER_UPDATE = 0x1p-20;

  private static final double SUM_BOUND_MAX = 1e-2;

  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

  private final ErasureCode code;
  private final int k;
  private final int rowBytes;
  private final MemorySegment expected;
  private final MemorySegment candidate;
  private double deviation;

  StripeCheck(ErasureCode code, int rowBytes, Arena arena) {
    this.code = code;
    k = code.dataUnits();
    this.rowBytes = rowBytes;
    expected = arena.allocate(rowBytes, 64);
    candidate = arena.allocate(rowBytes, 64);
  }

  /** What a parity should be, valid until the next call. */
  MemorySegment expected(StripeCopies copies, int stripe, int parity) {
    return expected(copies, stripe, parity, -1);
  }

  private MemorySegment expected(StripeCopies copies, int stripe, int parity, int replaced) {
    expected.fill((byte) 0);
    for (int member = 0; member < k; member++) {
      if (member == replaced) {
        code.foldDifference(member, parity, candidate, 0, expected, 0, rowBytes);
      } else if (copies.counter(stripe, member) != 0) {
        code.foldDifference(
            member, parity, copies.segment(), copies.offset(stripe, member), expected, 0, rowBytes);
      }
    }
    return expected;
  }

  /** Whether a parity's bytes are what they should be; a float sum's nearly. */
  boolean fits(
      StripeCopies copies, int stripe, int parity, MemorySegment values, long offsetBytes) {
    return fits(copies, stripe, parity, values, offsetBytes, -1);
  }

  private boolean fits(
      StripeCopies copies,
      int stripe,
      int parity,
      MemorySegment values,
      long offsetBytes,
      int replaced) {
    MemorySegment right = expected(copies, stripe, parity, replaced);
    if (code.kind() != CodeKind.FLOAT_SUM) {
      deviation = 0;
      return MemorySegment.mismatch(right, 0, rowBytes, values, offsetBytes, offsetBytes + rowBytes)
          < 0;
    }
    deviation = deviation(copies, stripe, values, offsetBytes);
    long updates = 16;
    for (int member = 0; member < k; member++) {
      updates += copies.counter(stripe, member);
    }
    return deviation <= Math.min(SUM_BOUND_MAX, updates * SUM_BOUND_PER_UPDATE);
  }

  /** Largest difference over the largest value; infinite where one side is no number. */
  private double deviation(
      StripeCopies copies, int stripe, MemorySegment values, long offsetBytes) {
    double largest = 0;
    double difference = 0;
    for (long at = 0; at < rowBytes; at += Float.BYTES) {
      double is = values.get(FLOAT, offsetBytes + at);
      double should = expected.get(FLOAT, at);
      if (!Double.isFinite(is - should)) {
        return Double.POSITIVE_INFINITY;
      }
      difference = Math.max(difference, Math.abs(is - should));
      largest = Math.max(largest, Math.abs(is));
      for (int member = 0; member < k; member++) {
        if (copies.counter(stripe, member) != 0) {
          long from = copies.offset(stripe, member) + at;
          largest = Math.max(largest, Math.abs(copies.segment().get(FLOAT, from)));
        }
      }
    }
    return difference == 0 ? 0 : difference / largest;
  }

  /** Of the last comparison: largest difference relative to the stripe's largest value. */
  double deviation() {
    return deviation;
  }

  /**
   * The one row whose replacement makes all parities fit.
   *
   * @param parities all r, each of one row
   * @param offsets where each starts
   * @return its position, or -1 if there is none or more than one; its right bytes are then {@link
   *     #candidate}
   */
  int wrongRow(StripeCopies copies, int stripe, MemorySegment[] parities, long[] offsets) {
    int found = -1;
    for (int member = 0; member < k; member++) {
      if (explains(member, copies, stripe, parities, offsets)) {
        if (found >= 0) {
          return -1;
        }
        found = member;
      }
    }
    if (found >= 0) {
      decode(found, copies, stripe, parities, offsets);
    }
    return found;
  }

  private boolean explains(
      int member, StripeCopies copies, int stripe, MemorySegment[] parities, long[] offsets) {
    decode(member, copies, stripe, parities, offsets);
    for (int parity = 0; parity < parities.length; parity++) {
      if (!fits(copies, stripe, parity, parities[parity], offsets[parity], member)) {
        return false;
      }
    }
    return true;
  }

  /** A row from the others and the first parities that it takes, into {@link #candidate}. */
  void decode(
      int member, StripeCopies copies, int stripe, MemorySegment[] parities, long[] offsets) {
    Decoder decoder = code.decoder(member);
    int[] sources = decoder.sources();
    candidate.fill((byte) 0);
    for (int i = 0; i < sources.length; i++) {
      int unit = sources[i];
      if (unit >= k) {
        decoder.foldSource(i, 0, parities[unit - k], offsets[unit - k], candidate, 0, rowBytes);
      } else if (copies.counter(stripe, unit) != 0) {
        decoder.foldSource(
            i, 0, copies.segment(), copies.offset(stripe, unit), candidate, 0, rowBytes);
      }
    }
  }

  MemorySegment candidate() {
    return candidate;
  }
}
