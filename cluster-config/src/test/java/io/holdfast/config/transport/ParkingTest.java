package io.holdfast.config.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Parks for an hour: a lost wake-up hangs the test, and only that ends in its timeout. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ParkingTest {
  private static final long HOUR_NANOS = TimeUnit.HOURS.toNanos(1);
  private static final int ROUNDS = 20_000;

  private final Parking parking = new Parking();
  private final AtomicInteger asked = new AtomicInteger();
  private final AtomicInteger done = new AtomicInteger();

  @Test
  void shouldLoseNoSignal() throws InterruptedException {
    // hasWork tells nothing: only the signal can end the wait.
    run(() -> parking.park(HOUR_NANOS, () -> false), parking::signal);
  }

  @Test
  void shouldSeeWorkThatIsFollowedByUnpark() throws InterruptedException {
    run(() -> parking.park(HOUR_NANOS, () -> asked.get() > done.get()), parking::unpark);
  }

  private void run(Runnable park, Runnable wake) throws InterruptedException {
    Thread thread =
        new Thread(
            () -> {
              while (done.get() < ROUNDS) {
                if (asked.get() > done.get()) {
                  done.incrementAndGet();
                } else {
                  park.run();
                }
              }
            });
    thread.start();
    for (int round = 1; round <= ROUNDS; round++) {
      asked.set(round);
      wake.run();
      while (done.get() < round) {
        Thread.onSpinWait();
      }
    }
    thread.join();
    assertEquals(ROUNDS, done.get());
  }
}
