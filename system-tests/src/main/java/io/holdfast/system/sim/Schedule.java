package io.holdfast.system.sim;

import java.util.Comparator;
import java.util.PriorityQueue;
import java.util.Random;

/** Virtual time, what is to happen in it, and chance. */
final class Schedule {
  private record Event(long atNanos, long order, Runnable action) {}

  private final PriorityQueue<Event> events =
      new PriorityQueue<>(Comparator.comparingLong(Event::atNanos).thenComparingLong(Event::order));
  private final Random random;
  private long nowNanos;
  private long orders;
  private long steps;
  private long fingerprint = 17;

  Schedule(long seed) {
    random = new Random(seed);
  }

  long nowNanos() {
    return nowNanos;
  }

  void at(long atNanos, Runnable action) {
    events.add(new Event(atNanos, orders++, action));
  }

  void in(long nanos, Runnable action) {
    at(nowNanos + nanos, action);
  }

  /** Lets the next thing happen. */
  void step() {
    Event next = events.remove();
    nowNanos = next.atNanos;
    steps++;
    next.action.run();
  }

  /** How many things have happened. */
  long steps() {
    return steps;
  }

  /** Below a bound. */
  long draw(long bound) {
    return random.nextLong(bound);
  }

  boolean chance(double probability) {
    return probability > 0 && random.nextDouble() < probability;
  }

  /** Folds something that happened into the fingerprint of the run. */
  void note(long who, long what) {
    fingerprint = (fingerprint * 31 + nowNanos) * 31 + who;
    fingerprint = Long.rotateLeft(fingerprint * 0x9E3779B97F4A7C15L, 29) + what;
  }

  /** Of all that was noted and when. */
  long fingerprint() {
    return fingerprint;
  }
}
