package io.holdfast.worker;

import io.holdfast.config.control.ControlMessage;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * Messages to the coordinator that it must get: Akka loses what is under way when a connection
 * breaks. Each is said again until it is known to have arrived.
 */
final class Unacknowledged {
  private static final class Entry {
    final ControlMessage message;
    long sentNanos;

    Entry(ControlMessage message, long sentNanos) {
      this.message = message;
      this.sentNanos = sentNanos;
    }
  }

  private final TreeMap<Long, Entry> entries = new TreeMap<>();
  private final Consumer<ControlMessage> coordinator;

  Unacknowledged(Consumer<ControlMessage> coordinator) {
    this.coordinator = coordinator;
  }

  void send(long number, ControlMessage message, long nowNanos) {
    entries.put(number, new Entry(message, nowNanos));
    coordinator.accept(message);
  }

  /** This one has arrived. */
  void arrived(long number) {
    entries.remove(number);
  }

  /** All up to this one have arrived. */
  void arrivedUpTo(long number) {
    entries.headMap(number, true).clear();
  }

  void allArrived() {
    entries.clear();
  }

  /** Says again, in their order, those that were not acknowledged for so long. */
  void repeat(long nowNanos, long retryNanos) {
    for (Map.Entry<Long, Entry> each : entries.entrySet()) {
      Entry entry = each.getValue();
      if (nowNanos - entry.sentNanos >= retryNanos) {
        entry.sentNanos = nowNanos;
        coordinator.accept(entry.message);
      }
    }
  }
}
