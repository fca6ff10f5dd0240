package io.holdfast.system.sim;

import io.holdfast.config.job.CommitMode;
import io.holdfast.config.job.DataSpec;
import io.holdfast.config.job.JobSpec;
import io.holdfast.config.job.LearningRate;
import io.holdfast.config.job.Packing;
import io.holdfast.config.job.Redundancy;
import io.holdfast.config.job.SyncMode;
import io.holdfast.config.model.Interaction;
import io.holdfast.config.model.ModelSpec;
import io.holdfast.config.model.OptimizerKind;
import io.holdfast.config.model.OptimizerSpec;
import io.holdfast.config.model.TableSpec;
import io.holdfast.recovery.Split;
import io.holdfast.recovery.TrainingData;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/** Random scenarios, and the small job that all of them train. */
final class Scenarios {
  static final long RETRY_NANOS = 20_000;
  private static final int TABLES = 3;

  private Scenarios() {}

  /** What happens in a run; the same for the same seed. */
  static Scenario random(long seed) {
    Random random = new Random(seed);
    SyncMode sync = pick(random, List.of(SyncMode.values()));
    boolean deterministic = sync == SyncMode.SYNC && random.nextBoolean();
    int window = deterministic ? 1 : 1 + random.nextInt(3);
    int workers = 1 + random.nextInt(4);
    // Some without redundancy, on few servers too.
    boolean redundant = random.nextInt(5) != 0;
    int servers = redundant ? 3 + random.nextInt(6) : 1 + random.nextInt(5);
    Redundancy redundancy = redundant ? redundancy(random, servers) : Redundancy.NONE;
    // This version goes on without a server if there is one copy of everything. A float sum drifts,
    // so nothing could be compared.
    boolean told =
        redundant
            && redundancy.r() == 1
            && !redundancy.code().equals("sum")
            && random.nextInt(3) != 0;
    if (told) {
      redundancy = redundancy.withNnReplicas(1);
    }
    boolean onePhase = !deterministic && random.nextInt(6) == 0;
    boolean exact = random.nextBoolean();
    OptimizerKind optimizer =
        exact ? OptimizerKind.SGD : pick(random, List.of(OptimizerKind.values()));
    // The smallest share holds one transaction of a worker; a second one finds no room.
    long stagedBytes = workers * (random.nextBoolean() ? 1_600L : 1L << 16);
    JobSpec job =
        new JobBuilder()
            .cluster(servers, workers)
            .redundancy(redundancy)
            .commit(onePhase ? CommitMode.ONE_PHASE : CommitMode.TWO_PHASE)
            .optimizer(optimizer, exact ? 1 : 0.05f)
            .batch(1 + random.nextInt(4))
            .sync(sync, random.nextInt(3), deterministic, window)
            .stagedBytes(stagedBytes)
            .build();
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
            redundant && (told ? random.nextInt(3) != 0 : random.nextInt(5) < 2)
                ? 1 + random.nextInt(redundancy.r())
                : 0,
            told,
            1 + random.nextInt(300_000));
    SimModel model = new SimModel(job, random.nextLong(), badLines, exact);
    // Nobody can see from outside in which order rows change that have several owners in turn.
    boolean spares = told && exact && faults.serverDeaths() > 0;
    return new Scenario(job, data, model, spares ? faults.withSpares(random.nextInt(4)) : faults);
  }

  private static Redundancy redundancy(Random random, int servers) {
    int r = servers > 3 && random.nextInt(5) < 2 ? 2 : 1;
    int k = 1 + random.nextInt(Math.min(4, servers - r));
    String code = r > 1 ? "rs" : pick(random, List.of("xor", "xor", "rs", "sum"));
    return Redundancy.of(code, k, r)
        .withNnReplicas(random.nextInt(3))
        .withWitness(random.nextInt(3) == 0)
        .withWindowBytes(random.nextBoolean() ? 1 << 20 : 1_500)
        .withPacking(pick(random, List.of(Packing.values())))
        .withScrub(0);
  }

  private static <T> T pick(Random random, List<T> among) {
    return among.get(random.nextInt(among.size()));
  }

  /** A job that differs from the smallest one in what is named. */
  static final class JobBuilder {
    private int servers = 1;
    private int workers = 1;
    private Redundancy redundancy = Redundancy.NONE;
    private CommitMode commit = CommitMode.TWO_PHASE;
    private OptimizerKind optimizer = OptimizerKind.SGD;
    private float learningRate = 1;
    private int batch = 1;
    private SyncMode sync = SyncMode.ASYNC;
    private int staleness;
    private boolean deterministic;
    private int window = 1;
    private long stagedBytes = 1 << 20;

    JobBuilder cluster(int servers, int workers) {
      this.servers = servers;
      this.workers = workers;
      return this;
    }

    JobBuilder redundancy(Redundancy redundancy) {
      this.redundancy = redundancy;
      return this;
    }

    JobBuilder commit(CommitMode commit) {
      this.commit = commit;
      return this;
    }

    JobBuilder optimizer(OptimizerKind kind, float learningRate) {
      this.optimizer = kind;
      this.learningRate = learningRate;
      return this;
    }

    JobBuilder batch(int batch) {
      this.batch = batch;
      return this;
    }

    JobBuilder sync(SyncMode sync, int staleness, boolean deterministic, int window) {
      this.sync = sync;
      this.staleness = staleness;
      this.deterministic = deterministic;
      this.window = window;
      return this;
    }

    JobBuilder stagedBytes(long bytes) {
      this.stagedBytes = bytes;
      return this;
    }

    JobSpec build() {
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
          redundancy,
          commit,
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
}
