package io.holdfast.server.transaction;

import java.util.Arrays;
import java.util.List;

/** A few sequence numbers, in increasing order. */
final class SequenceSet {
  private long[] values = new long[8];
  private int size;

  boolean contains(long sequence) {
    return Arrays.binarySearch(values, 0, size, sequence) >= 0;
  }

  void add(long sequence) {
    int found = Arrays.binarySearch(values, 0, size, sequence);
    if (found >= 0) {
      return;
    }
    int at = -found - 1;
    if (size == values.length) {
      values = Arrays.copyOf(values, 2 * size);
    }
    System.arraycopy(values, at, values, at + 1, size - at);
    values[at] = sequence;
    size++;
  }

  void remove(long sequence) {
    int at = Arrays.binarySearch(values, 0, size, sequence);
    if (at >= 0) {
      System.arraycopy(values, at + 1, values, at, size - at - 1);
      size--;
    }
  }

  void removeUpTo(long sequence) {
    int found = Arrays.binarySearch(values, 0, size, sequence);
    int count = found >= 0 ? found + 1 : -found - 1;
    System.arraycopy(values, count, values, 0, size - count);
    size -= count;
  }

  int size() {
    return size;
  }

  /** The lowest, or {@link Long#MAX_VALUE} if there is none. */
  long first() {
    return size == 0 ? Long.MAX_VALUE : values[0];
  }

  List<Long> toList() {
    return Arrays.stream(values, 0, size).boxed().toList();
  }
}
