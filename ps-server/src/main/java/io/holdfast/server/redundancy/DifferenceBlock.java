package io.holdfast.server.redundancy;

import io.holdfast.config.protocol.Payload;
import io.holdfast.config.transport.Frame;
import io.holdfast.config.transport.FramePool;
import io.holdfast.server.storage.Floats;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Pooled memory that several stream items share: {@code [ids | counters | values]} of the rows of
 * one staged part, made once however many holders get some of them. Given back when the last item
 * is acknowledged.
 */
final class DifferenceBlock {
  private static final long ALIGNMENT_BYTES = 64;

  private final FramePool pool;
  private final Frame frame;
  private final long countersAt;
  private final long valuesAt;
  private int users;

  private DifferenceBlock(FramePool pool, long countersAt, long valuesAt, long lengthBytes) {
    this.pool = pool;
    this.countersAt = countersAt;
    this.valuesAt = valuesAt;
    frame = pool.take(Math.toIntExact(lengthBytes));
    users = 1;
  }

  /** Room for rows. The caller is its first user. */
  static DifferenceBlock ofRows(FramePool pool, int count, int rowBytes) {
    long countersAt = align(8L * count);
    long valuesAt = align(countersAt + 4L * count);
    return new DifferenceBlock(pool, countersAt, valuesAt, valuesAt + (long) count * rowBytes);
  }

  /** Room for values alone. */
  static DifferenceBlock ofValues(FramePool pool, long lengthBytes) {
    return new DifferenceBlock(pool, 0, 0, lengthBytes);
  }

  /** Most rows that a block of rows, or of their values alone, can have. */
  static int rowsMax(int rowBytes) {
    return Math.max(
        1, (int) ((FramePool.maxLengthBytes() - 2 * ALIGNMENT_BYTES) / (12L + rowBytes)));
  }

  private static long align(long bytes) {
    return (bytes + ALIGNMENT_BYTES - 1) / ALIGNMENT_BYTES * ALIGNMENT_BYTES;
  }

  DifferenceBlock retain() {
    users++;
    return this;
  }

  void release() {
    if (--users == 0) {
      pool.recycle(frame);
    } else if (users < 0) {
      throw new IllegalStateException("a block was released more often than it was used");
    }
  }

  /** int64 each. */
  MemorySegment ids() {
    return frame.segment();
  }

  /** int32 each. */
  MemorySegment counters() {
    return frame.segment().asSlice(countersAt);
  }

  MemorySegment values() {
    return frame.segment().asSlice(valuesAt);
  }

  /** Sets how many bytes of a block of values are used. */
  void used(int lengthBytes) {
    frame.lengthBytes(lengthBytes);
  }

  /** The used bytes of a block of values. */
  MemorySegment used() {
    return frame.used();
  }

  /** Ids of chosen rows. */
  Payload ids(int[] chosen, int from, int to) {
    return new Chosen(frame.segment(), 0, Long.BYTES, chosen, from, to) {
      @Override
      void copy(MemorySegment source, long at, MemorySegment target, long to) {
        target.set(
            ValueLayout.JAVA_LONG_UNALIGNED, to, source.get(ValueLayout.JAVA_LONG_UNALIGNED, at));
      }
    };
  }

  /** Counters of chosen rows. */
  Payload counters(int[] chosen, int from, int to) {
    return new Chosen(frame.segment(), countersAt, Integer.BYTES, chosen, from, to) {
      @Override
      void copy(MemorySegment source, long at, MemorySegment target, long to) {
        target.set(
            ValueLayout.JAVA_INT_UNALIGNED, to, source.get(ValueLayout.JAVA_INT_UNALIGNED, at));
      }
    };
  }

  /** Values of chosen rows. */
  Payload values(int[] chosen, int from, int to, int rowBytes) {
    return new Chosen(frame.segment(), valuesAt, rowBytes, chosen, from, to) {
      @Override
      void copy(MemorySegment source, long at, MemorySegment target, long to) {
        Floats.copy(source, at, target, to, rowBytes / Float.BYTES);
      }
    };
  }

  /** Values of some of a block's rows, gathered into the frame when it is sent. */
  private abstract static class Chosen implements Payload {
    private final MemorySegment source;
    private final long base;
    private final int widthBytes;
    private final int[] chosen;
    private final int from;
    private final int to;

    Chosen(MemorySegment source, long base, int widthBytes, int[] chosen, int from, int to) {
      this.source = source;
      this.base = base;
      this.widthBytes = widthBytes;
      this.chosen = chosen;
      this.from = from;
      this.to = to;
    }

    abstract void copy(MemorySegment source, long at, MemorySegment target, long to);

    @Override
    public long lengthBytes() {
      return (long) (to - from) * widthBytes;
    }

    @Override
    public void writeTo(MemorySegment target, long offsetBytes) {
      long at = offsetBytes;
      for (int i = from; i < to; i++, at += widthBytes) {
        copy(source, base + (long) chosen[i] * widthBytes, target, at);
      }
    }
  }
}
