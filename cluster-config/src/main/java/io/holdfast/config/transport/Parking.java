package io.holdfast.config.transport;

import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/**
 * Where one thread waits and others wake it. A signal that comes while the thread is not parked
 * ends its next wait at once, so none is lost: who makes work visible and then signals can be sure
 * that the thread looks for work afterwards.
 */
final class Parking {
  private volatile Thread parked;
  private volatile boolean signalled;

  /**
   * Waits for a signal, at most so long. Call from the one thread that this serves.
   *
   * @param hasWork checked after the thread can be woken: work that was made visible before is seen
   *     here, work that is made visible later is followed by a wake-up
   */
  void park(long nanos, BooleanSupplier hasWork) {
    parked = Thread.currentThread();
    if (!signalled && !hasWork.getAsBoolean()) {
      LockSupport.parkNanos(this, nanos);
    }
    parked = null;
    // A signal between these lines is dropped safely: the thread looks for work next anyway.
    signalled = false;
  }

  /** Ends a wait, the present one or else the next. */
  void signal() {
    signalled = true;
    unpark();
  }

  /** Ends the present wait, if there is one. */
  void unpark() {
    Thread waiting = parked;
    if (waiting != null) {
      LockSupport.unpark(waiting);
    }
  }
}
