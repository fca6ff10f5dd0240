package io.holdfast.system.sim;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import io.holdfast.config.job.CommitMode;
import io.holdfast.config.job.JobSpec;
import io.holdfast.config.job.Redundancy;
import io.holdfast.config.job.SyncMode;
import io.holdfast.config.model.OptimizerKind;
import io.holdfast.recovery.Split;
import io.holdfast.recovery.TrainingData;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** Random schedules of whole clusters; {@code -Dholdfast.sim.seeds=N} runs more of them. */
final class ClusterSimulationTest {
  private static final Logger OURS = (Logger) LoggerFactory.getLogger("io.holdfast");
  private static Level levelBefore;

  @BeforeAll
  static void beQuiet() {
    levelBefore = OURS.getLevel();
    SimulateCommand.beQuiet();
  }

  @AfterAll
  static void beAsBefore() {
    OURS.setLevel(levelBefore);
  }

  @Test
  void shouldApplyWhatIsCommittedExactlyOnceWhateverHappens() {
    int threads = Math.min(2, Runtime.getRuntime().availableProcessors());
    long seeds = Long.getLong("holdfast.sim.seeds", 2_000);
    Campaign campaign = Campaign.run(1, seeds, threads, 3, result -> {});
    System.out.println("Simulator: " + campaign.summary());
    if (campaign.failures() > 0) {
      Simulation.Result first = campaign.firstFailure();
      fail(
          "seed "
              + first.seed()
              + " of "
              + campaign.summary()
              + "\nreplay: scripts/holdfast simulate --seed "
              + first.seed()
              + "\n"
              + first.scenario(),
          first.failure().orElseThrow());
    }
    assertEquals(seeds, campaign.runs());
    for (FaultKind kind : FaultKind.values()) {
      assertTrue(campaign.faults().of(kind) > 0, "too few faults: no " + kind.words());
    }
    assertTrue(campaign.unacknowledged() > 0, "no death left a transaction open");
    assertTrue(campaign.refusedFrames() > 0, "no frame was stale or fenced");
  }

  @Test
  void shouldReplayASeed() {
    for (long seed : new long[] {1, 2, 3}) {
      assertEquals(fingerprint(seed, seed), fingerprint(seed, seed));
      assertNotEquals(fingerprint(seed, seed), fingerprint(seed, seed + 1));
    }
  }

  private static long fingerprint(long scenarioSeed, long seed) {
    try (SimCluster cluster =
        new SimCluster(Scenarios.random(scenarioSeed), seed, TraceLog.OFF, new Seams())) {
      cluster.run();
      return cluster.schedule.fingerprint();
    }
  }

  @Test
  void shouldTellWhatHappenedInASeed() {
    long seed = 7;
    while (Scenarios.random(seed).job().commit() != CommitMode.TWO_PHASE) {
      seed++;
    }
    Simulation.Replay replay = Simulation.replay(seed, 100);
    assertEquals(100, replay.trace().size());
    assertTrue(replay.earlier() > 0);
    assertEquals(replay.trace(), Simulation.replay(seed, 100).trace());
    String whole = String.join("\n", Simulation.replay(seed, 1_000_000).trace());
    for (String word :
        new String[] {
          "StageRows(", "Commit(", "applied", "saw", "decides", "TRAINING", "outcome"
        }) {
      assertTrue(whole.contains(word), word);
    }
  }

  @Test
  void shouldTrainADeterministicModelToTheSameBytesOnAnyNumberOfServersAndRedundancy() {
    Map<Long, byte[]> rows = null;
    List<byte[]> shards = null;
    List<Redundancy> kinds =
        List.of(
            Redundancy.NONE,
            Redundancy.of("xor", 2, 1),
            Redundancy.of("rs", 2, 2).withWitness(true),
            Redundancy.of("sum", 4, 1),
            Redundancy.of("xor", 1, 1));
    for (Redundancy redundancy : kinds) {
      for (long seed = 1; seed <= 3; seed++) {
        int servers = redundancy.k() + redundancy.r() + (int) seed - 1;
        JobSpec job =
            new Scenarios.JobBuilder()
                .cluster(servers, 3)
                .redundancy(redundancy)
                .optimizer(OptimizerKind.ADAGRAD, 0.1f)
                .batch(2)
                .sync(SyncMode.SYNC, 0, true, 1)
                .build();
        TrainingData data =
            TrainingData.ofPasses(
                List.of(new Split(0, 0, 20), new Split(0, 20, 31), new Split(1, 0, 17)), 2);
        Faults faults = new Faults(1_000, 0.03, 0.05, 0.05, 0.03, 3, 0, 0, false, 100_000);
        Scenario scenario = new Scenario(job, data, new SimModel(job, 99, 0.1, false), faults);
        try (SimCluster cluster = new SimCluster(scenario, seed, TraceLog.OFF, new Seams())) {
          cluster.run();
          Oracles.check(cluster);
          Map<Long, byte[]> nowRows = new TreeMap<>();
          List<byte[]> nowShards = new ArrayList<>();
          for (SimServer server : cluster.servers()) {
            Memory.rows(job, server.core()).forEach((row, at) -> nowRows.put(row, at.bytes()));
          }
          for (int shard = 0; shard < job.nnShards().count(); shard++) {
            SimServer primary = cluster.servers().get(job.nnShards().primary(shard));
            nowShards.add(Memory.shard(primary.core(), shard));
          }
          if (rows == null) {
            rows = nowRows;
            shards = nowShards;
            assertTrue(rows.size() > 10, "rows were trained");
          }
          String which = servers + " servers, " + redundancy + ", seed " + seed;
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
}
