package io.holdfast.system.sim;

import java.util.ArrayDeque;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;

/** The last so many things that happened in a run, as lines for people. */
final class TraceLog {
  /** Keeps nothing and costs nothing. */
  static final TraceLog OFF = new TraceLog(0);

  private final int capacity;
  private final ArrayDeque<String> lines = new ArrayDeque<>();
  private long forgotten;

  TraceLog(int capacity) {
    this.capacity = capacity;
  }

  boolean on() {
    return capacity > 0;
  }

  void add(long nowNanos, Supplier<String> what) {
    if (!on()) {
      return;
    }
    if (lines.size() == capacity) {
      lines.remove();
      forgotten++;
    }
    lines.add(String.format(Locale.ROOT, "%12.3f us  %s", nowNanos / 1e3, what.get()));
  }

  Collection<String> lines() {
    return List.copyOf(lines);
  }

  /** Earlier lines that were not kept. */
  long forgotten() {
    return forgotten;
  }
}
