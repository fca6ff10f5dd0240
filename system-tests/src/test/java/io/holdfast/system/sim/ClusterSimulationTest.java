package io.holdfast.system.sim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import io.holdfast.config.job.CommitMode;
import io.holdfast.config.job.DataSpec;
import io.holdfast.config.job.JobSpec;
import io.holdfast.config.job.LearningRate;
import io.holdfast.config.job.Redundancy;
import io.holdfast.config.job.SyncMode;
import io.holdfast.config.model.Interaction;
import io.holdfast.config.model.ModelSpec;
import io.holdfast.config.model.OptimizerKind;
import io.holdfast.config.model.OptimizerSpec;
import io.holdfast.config.model.TableSpec;
import io.holdfast.recovery.Split;
import io.holdfast.recovery.TrainingData;
import io.holdfast.system.sim.SimCluster.Scenario;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/**
 * Random schedules of whole clusters. {@code -Dholdfast.sim.seed=S} replays one, {@code
 * -Dholdfast.sim.seeds=N} runs more of them.
 */
final class ClusterSimulationTest {
  private static final long RETRY_NANOS = 20_000;
  private static final Logger OURS = (Logger) LoggerFactory.getLogger("io.holdfast");
  private static final int TABLES = 3;
  private static Level levelBefore;

  @BeforeAll
  static void beQuiet() {
    levelBefore = OURS.getLevel();
    OURS.setLevel(Level.ERROR); // Refusals are what these runs are about.
  }

  @AfterAll
  static void beAsBefore() {
    OURS.setLevel(levelBefore);
  }

  @Test
  void shouldApplyWhatIsCommittedExactlyOnceWhateverHappens() {
    long abandoned = 0;
    long refused = 0;
    for (long seed : seeds()) {
      Scenario scenario = scenario(new Random(seed));
      try (SimCluster cluster = new SimCluster(scenario, seed)) {
        cluster.run();
        cluster.check();
        abandoned += cluster.history.abandoned();
        refused += cluster.refusedFrames();
      } catch (AssertionError | RuntimeException e) {
        throw new AssertionError(
            "seed " + seed + ", replay with -Dholdfast.sim.seed=" + seed + ": " + scenario, e);
      }
    }
    if (Long.getLong("holdfast.sim.seed") == null) {
      assertTrue(abandoned > 0, "no death left a transaction undecided: too few faults");
      assertTrue(refused > 0, "no frame was stale or fenced: too few faults");
    }
  }

  @Test
  void shouldReplayASeed() {
    for (long seed : new long[] {1, 2, 3}) {
      assertEquals(trace(seed, seed), trace(seed, seed));
      assertNotEquals(trace(seed, seed), trace(seed, seed + 1));
    }
  }

  private static long trace(long scenarioSeed, long seed) {
    try (SimCluster cluster = new SimCluster(scenario(new Random(scenarioSeed)), seed)) {
      cluster.run();
      return cluster.schedule.trace();
    }
  }

  @Test
  void shouldTrainADeterministicModelToTheSameBytesOnAnyNumberOfServers() {
    Map<Long, byte[]> rows = null;
    List<byte[]> shards = null;
    for (int servers : new int[] {1, 3, 5}) {
      for (long seed = 1; seed <= 3; seed++) {
        JobSpec job =
            job(servers, 3, OptimizerKind.ADAGRAD, 0.1f, 2, SyncMode.SYNC, 0, true, 1, 1 << 20);
        TrainingData data =
            TrainingData.ofPasses(
                List.of(new Split(0, 0, 20), new Split(0, 20, 31), new Split(1, 0, 17)), 2);
        Faults faults = new Faults(1_000, 0.03, 0.05, 0.05, 0.03, 3, 0, 100_000);
        Scenario scenario = new Scenario(job, data, new SimModel(job, 99, 0.1, false), faults);
        try (SimCluster cluster = new SimCluster(scenario, seed)) {
          cluster.run();
          cluster.check();
          Map<Long, byte[]> nowRows = cluster.rows();
          List<byte[]> nowShards =
              IntStream.range(0, job.nnShards().count()).mapToObj(cluster::shard).toList();
          if (rows == null) {
            rows = nowRows;
            shards = nowShards;
            assertTrue(rows.size() > 10, "rows were trained");
          }
          String which = servers + " servers, seed " + seed;
          assertEquals(rows.keySet(), nowRows.keySet(), which);
          for (Map.Entry<Long, byte[]> row : rows.entrySet()) {
            assertArrayEquals(
                row.getValue(), nowRows.get(row.getKey()), which + ", row " + row.getKey());
          }
          for (int shard = 0; shard < shards.size(); shard++) {
            assertArrayEquals(shards.get(shard), nowShards.get(shard), which + ", shard " + shard);
          }
        }
      }
    }
  }

  private static long[] seeds() {
    Long one = Long.getLong("holdfast.sim.seed");
    return one != null
        ? new long[] {one}
        : LongStream.rangeClosed(1, Integer.getInteger("holdfast.sim.seeds", 400)).toArray();
  }

  private static Scenario scenario(Random random) {
    SyncMode sync = List.of(SyncMode.values()).get(random.nextInt(3));
    boolean deterministic = sync == SyncMode.SYNC && random.nextBoolean();
    int window = deterministic ? 1 : 1 + random.nextInt(3);
    int workers = 1 + random.nextInt(3);
    // The smallest share holds one transaction of a worker; a second one finds no room.
    long stagedBytes = workers * (random.nextBoolean() ? 1_600L : 1L << 16);
    JobSpec job =
        job(
            1 + random.nextInt(4),
            workers,
            OptimizerKind.SGD,
            1,
            1 + random.nextInt(4),
            sync,
            random.nextInt(3),
            deterministic,
            window,
            stagedBytes);
    List<Split> splits = new ArrayList<>();
    int files = 1 + random.nextInt(2);
    for (int file = 0; file < files; file++) {
      int length = 1 + random.nextInt(60);
      for (int at = 0; at < length; ) {
        int to = Math.min(length, at + 1 + random.nextInt(20));
        splits.add(new Split(file, at, to));
        at = to;
      }
    }
    TrainingData data =
        random.nextInt(3) == 0
            ? TrainingData.ofIterations(splits, 1 + random.nextInt(40))
            : TrainingData.ofPasses(splits, 1 + random.nextInt(2));
    double badLines = random.nextInt(2) * 0.3 * random.nextDouble();
    boolean bad = random.nextInt(4) != 0;
    Faults faults =
        new Faults(
            random.nextBoolean() ? 500 : 5_000,
            bad ? 0.05 * random.nextDouble() : 0,
            bad ? 0.2 * random.nextDouble() : 0,
            bad ? 0.2 * random.nextDouble() : 0,
            bad ? 0.1 * random.nextDouble() : 0,
            random.nextInt(4),
            random.nextInt(4),
            1 + random.nextInt(300_000));
    return new Scenario(job, data, new SimModel(job, random.nextLong(), badLines, true), faults);
  }

  private static JobSpec job(
      int servers,
      int workers,
      OptimizerKind optimizer,
      float learningRate,
      int batch,
      SyncMode sync,
      int staleness,
      boolean deterministic,
      int window,
      long stagedBytes) {
    ModelSpec model =
        new ModelSpec(
            "tiny",
            4,
            List.of(13, 8, 4),
            List.of(8, 1),
            Interaction.DOT,
            IntStream.range(0, TABLES).mapToObj(t -> new TableSpec(t, 9 + 2L * t)).toList());
    return new JobSpec(
        model,
        OptimizerSpec.of(optimizer),
        LearningRate.constant(learningRate),
        7,
        servers,
        workers,
        Redundancy.NONE,
        CommitMode.TWO_PHASE,
        64,
        batch,
        sync,
        staleness,
        deterministic,
        window,
        "nd4j",
        1,
        stagedBytes,
        RETRY_NANOS,
        128,
        new DataSpec(List.of("a", "b"), List.of(), true, 0, ""));
  }
}
