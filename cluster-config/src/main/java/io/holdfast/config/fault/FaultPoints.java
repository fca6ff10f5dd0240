package io.holdfast.config.fault;

import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Where a process fails if it was told to. {@code FaultPoints.reached(point)} stands in the code of
 * servers and workers; unless the process was started with {@code -Dholdfast.faults=true} it is an
 * empty method.
 */
public final class FaultPoints {
  /** Whether this process may be told to fail; a constant for the compiler. */
  public static final boolean ON = Boolean.getBoolean("holdfast.faults");

  /** The flag of a JVM that makes it {@link #ON}. */
  public static final String FLAG = "-Dholdfast.faults=true";

  private static final Map<InjectionPoint, AtomicReference<Runnable>> ARMED =
      Arrays.stream(InjectionPoint.values())
          .collect(
              Collectors.toUnmodifiableMap(
                  Function.identity(), point -> new AtomicReference<Runnable>()));

  private FaultPoints() {}

  /** The calling thread is at this point now. */
  public static void reached(InjectionPoint point) {
    if (ON) {
      fire(point);
    }
  }

  static void fire(InjectionPoint point) {
    AtomicReference<Runnable> armed = ARMED.get(point);
    Runnable action = armed.get();
    if (action != null && armed.compareAndSet(action, null)) {
      action.run();
    }
  }

  /** The next thread that reaches the point runs this, once. Any thread. */
  public static void arm(InjectionPoint point, Runnable action) {
    ARMED.get(point).set(action);
  }
}
