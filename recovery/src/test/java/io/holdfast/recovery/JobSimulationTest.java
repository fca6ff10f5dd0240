package io.holdfast.recovery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.config.job.SyncMode;
import io.holdfast.recovery.JobOutcome.JobFailed;
import io.holdfast.recovery.JobOutcome.JobLost;
import io.holdfast.recovery.JobOutcome.JobTrained;
import io.holdfast.recovery.JobSimulation.Shape;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * Random schedules. {@code -Dholdfast.seeds=N} runs more of them, {@code -Dholdfast.seed=X} one.
 */
final class JobSimulationTest {
  private static final int SEEDS = Integer.getInteger("holdfast.seeds", 3000);

  @Test
  void shouldTrainEverythingExactlyOnceWhoeverDies() {
    int trained = 0;
    int abandoned = 0;
    for (long seed : seeds()) {
      Shape shape = shape(new Random(seed), true, 0);
      try {
        JobOutcome outcome = new JobSimulation(shape, seed, seed + 1).run();
        if (outcome instanceof JobTrained) {
          trained++;
        } else {
          assertInstanceOf(JobFailed.class, outcome);
          JobFailed failed = (JobFailed) outcome;
          assertTrue(
              failed.kind() == JobOutcome.FailureKind.WORKERS
                  || failed.reason().contains("not a single good line"),
              outcome.toString());
          abandoned++;
        }
      } catch (AssertionError | RuntimeException e) {
        throw new AssertionError("seed " + seed + ", " + shape, e);
      }
    }
    if (SEEDS >= 1000 && seeds().size() > 1) {
      assertTrue(trained > SEEDS / 2 && abandoned > 0, trained + " trained, " + abandoned + " not");
    }
  }

  @Test
  void shouldTrainEverythingWhicheverServerDies() {
    int degraded = 0;
    int repeated = 0;
    int gone = 0;
    for (long seed : seeds()) {
      Shape shape = shape(new Random(seed), seed % 4 != 0, seed % 5 == 0 ? 2 : 1);
      try {
        JobSimulation simulation = new JobSimulation(shape, seed, seed + 1);
        switch (simulation.run()) {
          case JobTrained trained -> {
            degraded += simulation.lost().isEmpty() ? 0 : 1;
            repeated += trained.totals().repeated() > 0 ? 1 : 0;
          }
          case JobLost lost -> gone++;
          case JobFailed failed ->
              assertTrue(
                  failed.kind() == JobOutcome.FailureKind.WORKERS
                      || failed.reason().contains("not a single good line"),
                  failed.toString());
        }
      } catch (AssertionError | RuntimeException e) {
        throw new AssertionError("seed " + seed + ", " + shape, e);
      }
    }
    if (SEEDS >= 1000 && seeds().size() > 1) {
      String counts = degraded + " degraded, " + repeated + " repeated, " + gone + " lost";
      assertTrue(degraded > SEEDS / 3 && repeated > 0 && gone > 0, counts);
    }
  }

  @Test
  void shouldKeepTheDeterministicOrderWhateverTheNetworkDoes() {
    for (long seed = 1; seed <= SEEDS / 10; seed++) {
      Shape drawn = shape(new Random(seed), false, 0);
      Shape shape =
          new Shape(
              drawn.servers(),
              drawn.workers(),
              SyncMode.SYNC,
              0,
              true,
              1,
              drawn.batch(),
              drawn.badLines(),
              0,
              false,
              0,
              0,
              drawn.data());
      List<String> first = order(shape, seed, 1);
      assertEquals(first, order(shape, seed, 2), "seed " + seed);
    }
  }

  private static List<String> order(Shape shape, long seed, long networkSeed) {
    JobSimulation simulation = new JobSimulation(shape, seed, networkSeed);
    JobOutcome outcome = simulation.run();
    if (!(outcome instanceof JobTrained)) {
      return List.of(outcome.toString());
    }
    List<SimTransaction> sorted = new ArrayList<>(simulation.order);
    sorted.sort(
        Comparator.comparingLong((SimTransaction tx) -> tx.id.sequence())
            .thenComparingInt(tx -> tx.id.worker().index()));
    assertEquals(List.copyOf(simulation.order), sorted, "by step, then by worker; seed " + seed);
    return sorted.stream()
        .map(tx -> tx.id.worker() + " " + tx.id.sequence() + " " + tx.range)
        .toList();
  }

  private static List<Long> seeds() {
    Long one = Long.getLong("holdfast.seed");
    if (one != null) {
      return List.of(one);
    }
    List<Long> seeds = new ArrayList<>();
    for (long seed = 1; seed <= SEEDS; seed++) {
      seeds.add(seed);
    }
    return seeds;
  }

  private static Shape shape(Random random, boolean deaths, int serverDeaths) {
    SyncMode sync = List.of(SyncMode.values()).get(random.nextInt(3));
    boolean deterministic = sync == SyncMode.SYNC && random.nextBoolean();
    int workers = 1 + random.nextInt(4);
    List<Split> splits = new ArrayList<>();
    int files = 1 + random.nextInt(2);
    int longest = 1 + random.nextInt(20);
    for (int file = 0; file < files; file++) {
      int length = 1 + random.nextInt(80);
      for (int at = 0; at < length; ) {
        int to = Math.min(length, at + 1 + random.nextInt(longest));
        splits.add(new Split(file, at, to));
        at = to;
      }
    }
    TrainingData data =
        random.nextInt(3) == 0
            ? TrainingData.ofIterations(splits, 1 + random.nextInt(60))
            : TrainingData.ofPasses(splits, 1 + random.nextInt(2));
    int servers = serverDeaths == 0 ? 1 + random.nextInt(4) : 2 + random.nextInt(4);
    return new Shape(
        servers,
        workers,
        sync,
        random.nextInt(4),
        deterministic,
        deterministic ? 1 : 1 + random.nextInt(3),
        1 + random.nextInt(5),
        random.nextInt(2) * random.nextDouble() * random.nextDouble(),
        deaths ? random.nextInt(5) : 0,
        random.nextBoolean(),
        serverDeaths == 0 ? 0 : 1 + random.nextInt(servers - 1),
        serverDeaths,
        data);
  }
}
