package io.holdfast.system.sim;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.LongFunction;

/** Many seeds, on some threads. What it finds does not depend on the number of threads. */
public final class Campaign {
  private final FaultTally faults = new FaultTally();
  private final List<Simulation.Result> failures = new ArrayList<>();
  private long runs;
  private long transactions;
  private long unacknowledged;
  private long refusedFrames;

  /**
   * Runs seeds, but no new ones once so many have failed.
   *
   * @param from first seed
   * @param count how many
   * @param told gets each result; one thread at a time
   */
  public static Campaign run(
      long from, long count, int threads, int maxFailures, Consumer<Simulation.Result> told) {
    return run(from, count, threads, maxFailures, Simulation::run, told);
  }

  static Campaign run(
      long from,
      long count,
      int threads,
      int maxFailures,
      LongFunction<Simulation.Result> simulation,
      Consumer<Simulation.Result> told) {
    Campaign campaign = new Campaign();
    AtomicLong next = new AtomicLong(from);
    Runnable work =
        () -> {
          while (campaign.failures() < maxFailures) {
            long seed = next.getAndIncrement();
            if (seed >= from + count) {
              return;
            }
            campaign.add(simulation.apply(seed), told);
          }
        };
    List<Thread> others = new ArrayList<>();
    for (int i = 1; i < threads; i++) {
      others.add(Thread.ofPlatform().name("simulation-" + i).start(work));
    }
    work.run();
    for (Thread thread : others) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException("interrupted", e);
      }
    }
    return campaign;
  }

  private synchronized void add(Simulation.Result result, Consumer<Simulation.Result> told) {
    runs++;
    transactions += result.transactions();
    unacknowledged += result.unacknowledged();
    refusedFrames += result.refusedFrames();
    faults.add(result.faults());
    if (result.failure().isPresent()) {
      failures.add(result);
    }
    told.accept(result);
  }

  /** Runs that failed. */
  public synchronized int failures() {
    return failures.size();
  }

  /** The failed run with the smallest seed. */
  public synchronized Simulation.Result firstFailure() {
    return failures.stream()
        .min(java.util.Comparator.comparingLong(Simulation.Result::seed))
        .orElseThrow();
  }

  public synchronized long runs() {
    return runs;
  }

  public synchronized long transactions() {
    return transactions;
  }

  /** Transactions that somebody's death kept from being acknowledged. */
  public synchronized long unacknowledged() {
    return unacknowledged;
  }

  /** Frames that were stale or of fenced processes. */
  public synchronized long refusedFrames() {
    return refusedFrames;
  }

  /** Faults of all runs. */
  public synchronized FaultTally faults() {
    FaultTally copy = new FaultTally();
    copy.add(faults);
    return copy;
  }

  /** One line about all runs. */
  public synchronized String summary() {
    return runs
        + " runs, "
        + failures.size()
        + " failed; "
        + transactions
        + " transactions, "
        + unacknowledged
        + " of them not acknowledged; "
        + faults.total()
        + " faults: "
        + faults;
  }
}
