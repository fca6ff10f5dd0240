package io.holdfast.worker.dense;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.IntConsumer;

/** The calling thread and its helpers, which do the parts of one piece of work side by side. */
final class Team implements AutoCloseable {
  private final ExecutorService helpers;

  Team(int threads) {
    helpers =
        threads == 1
            ? null
            : Executors.newFixedThreadPool(
                threads - 1, Thread.ofPlatform().daemon().name("holdfast-dense-", 0).factory());
  }

  /** Runs {@code work} for each part from 0 to {@code parts - 1}; returns when all have ended. */
  void run(int parts, IntConsumer work) {
    List<Future<?>> others = new ArrayList<>(parts - 1);
    for (int part = 1; part < parts; part++) {
      int index = part;
      others.add(helpers.submit(() -> work.accept(index)));
    }
    try {
      work.accept(0);
    } finally {
      // Even after a failure: nobody may still be writing when the caller goes on.
      others.forEach(Team::await);
    }
    others.forEach(Team::rethrow);
  }

  private static void await(Future<?> future) {
    boolean interrupted = false;
    while (!future.isDone()) {
      try {
        future.get();
      } catch (InterruptedException e) {
        interrupted = true;
      } catch (ExecutionException e) {
        break; // rethrow() reports it
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private static void rethrow(Future<?> future) {
    if (future.state() == Future.State.FAILED) {
      throw new IllegalStateException("a part of the dense step failed", future.exceptionNow());
    }
  }

  @Override
  public void close() {
    if (helpers != null) {
      helpers.shutdown();
    }
  }
}
