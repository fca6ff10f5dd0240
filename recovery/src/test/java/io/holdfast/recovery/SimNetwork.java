package io.holdfast.recovery;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/**
 * Channels between processes. Each pair keeps its order; between pairs anything goes, and some may
 * be slow. A message may arrive twice in a row.
 */
final class SimNetwork {
  private record Pair(Object from, Object to) {}

  private static final int SLOWNESS = 30;

  private final Random random;
  private final double duplicates;
  private final Map<Pair, ArrayDeque<Runnable>> channels = new LinkedHashMap<>();

  private final boolean anySlow;

  /** By identity. */
  private final Set<ArrayDeque<Runnable>> slow = Collections.newSetFromMap(new IdentityHashMap<>());

  SimNetwork(Random random, double duplicates) {
    this.random = random;
    this.duplicates = duplicates;
    this.anySlow = random.nextBoolean();
  }

  void send(Object from, Object to, Runnable arrival) {
    ArrayDeque<Runnable> channel = channels.get(new Pair(from, to));
    if (channel == null) {
      channel = new ArrayDeque<>();
      channels.put(new Pair(from, to), channel);
      if (anySlow && random.nextInt(4) == 0) {
        slow.add(channel);
      }
    }
    channel.add(arrival);
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

  /** Messages on their way. */
  int waiting() {
    return channels.values().stream().mapToInt(ArrayDeque::size).sum();
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
    for (int i = 0; i < 4 && slow.contains(channel) && random.nextInt(SLOWNESS) != 0; i++) {
      channel = ready.get(random.nextInt(ready.size()));
    }
    boolean again = random.nextDouble() < duplicates;
    (again ? channel.peekFirst() : channel.removeFirst()).run();
    return true;
  }
}
