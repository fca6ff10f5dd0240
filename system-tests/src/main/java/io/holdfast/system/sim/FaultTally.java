package io.holdfast.system.sim;

import java.util.EnumMap;
import java.util.Map;
import java.util.stream.Collectors;

/** How many faults of each kind there were. One thread at a time. */
public final class FaultTally {
  private final Map<FaultKind, Long> counts = new EnumMap<>(FaultKind.class);

  void count(FaultKind kind) {
    counts.merge(kind, 1L, Long::sum);
  }

  void add(FaultTally other) {
    other.counts.forEach((kind, count) -> counts.merge(kind, count, Long::sum));
  }

  /** Faults of a kind. */
  public long of(FaultKind kind) {
    return counts.getOrDefault(kind, 0L);
  }

  /** Faults of all kinds. */
  public long total() {
    return counts.values().stream().mapToLong(Long::longValue).sum();
  }

  /** {@code 12 frames lost, 3 workers killed}. */
  @Override
  public String toString() {
    return counts.isEmpty()
        ? "none"
        : counts.entrySet().stream()
            .map(entry -> entry.getValue() + " " + entry.getKey().words())
            .collect(Collectors.joining(", "));
  }
}
