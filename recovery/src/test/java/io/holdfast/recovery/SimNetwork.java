package io.holdfast.recovery;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * Channels between processes. Each pair keeps its order; between pairs anything goes. A message may
 * arrive twice in a row.
 */
final class SimNetwork {
  private record Pair(Object from, Object to) {}

  private final Random random;
  private final double duplicates;
  private final Map<Pair, ArrayDeque<Runnable>> channels = new LinkedHashMap<>();

  SimNetwork(Random random, double duplicates) {
    this.random = random;
    this.duplicates = duplicates;
  }

  void send(Object from, Object to, Runnable arrival) {
    channels.computeIfAbsent(new Pair(from, to), pair -> new ArrayDeque<>()).add(arrival);
  }

  /** A process is gone: of what it sent last, some may never arrive. */
  void lose(Object from) {
    channels.forEach(
        (pair, channel) -> {
          if (pair.from.equals(from)) {
            int keep = random.nextInt(channel.size() + 1);
            while (channel.size() > keep) {
              channel.removeLast();
            }
          }
        });
  }

  /** Delivers one message of a random channel; false if there is none. */
  boolean deliver() {
    List<ArrayDeque<Runnable>> ready = new ArrayList<>();
    for (ArrayDeque<Runnable> channel : channels.values()) {
      if (!channel.isEmpty()) {
        ready.add(channel);
      }
    }
    if (ready.isEmpty()) {
      return false;
    }
    ArrayDeque<Runnable> channel = ready.get(random.nextInt(ready.size()));
    boolean again = random.nextDouble() < duplicates;
    (again ? channel.peekFirst() : channel.removeFirst()).run();
    return true;
  }
}
