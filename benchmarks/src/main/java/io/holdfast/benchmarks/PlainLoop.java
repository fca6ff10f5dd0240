package io.holdfast.benchmarks;

import io.holdfast.config.job.JobSpec;
import io.holdfast.config.model.NnLayout;
import io.holdfast.config.model.OptimizerKind;
import io.holdfast.config.model.ParameterInit;
import io.holdfast.criteo.BadLinePolicy;
import io.holdfast.criteo.CriteoBatch;
import io.holdfast.criteo.CriteoFormat;
import io.holdfast.criteo.CriteoSource;
import io.holdfast.criteo.SampleReader;
import io.holdfast.criteo.SourceOptions;
import io.holdfast.criteo.Split;
import io.holdfast.server.optimizer.Optimizer;
import io.holdfast.server.storage.MemorySettings;
import io.holdfast.server.storage.RefusedException;
import io.holdfast.server.storage.RowStore;
import io.holdfast.worker.EmbeddingOps;
import io.holdfast.worker.LookupPlan;
import io.holdfast.worker.WorkerData;
import io.holdfast.worker.dense.DenseEngine;
import io.holdfast.worker.dense.EngineKind;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;

/**
 * The same model in one plain loop: reads a batch, gathers rows from a table in this process,
 * computes, updates rows and NN in place. The same kernels as on servers and workers, but no
 * messages, no transactions and no other threads than the dense engine's.
 */
final class PlainLoop {
  private PlainLoop() {}

  /**
   * Trains.
   *
   * @return samples per second
   */
  static double run(JobSpec job, Path data, int threads, int iterations) throws RefusedException {
    int dim = job.model().dim();
    LookupPlan plan = new LookupPlan(job.model(), job.stripeMap());
    CriteoBatch batch = new CriteoBatch(job.batch());
    Optimizer nnOptimizer = Optimizer.of(job.optimizer().forNn());
    int parameters = NnLayout.of(job.model()).parameters();
    if (job.optimizer().kind() != OptimizerKind.SGD) {
      throw new IllegalArgumentException("the plain loop keeps no optimizer state: SGD only");
    }
    long lookups = (long) job.batch() * job.model().tables().size();
    try (Arena arena = Arena.ofConfined();
        RowStore rows =
            new RowStore(
                job.model(),
                job.optimizer(),
                job.stripeMap(),
                0,
                new ParameterInit(job.seed()),
                MemorySettings.DEFAULT);
        DenseEngine engine =
            DenseEngine.create(EngineKind.ND4J, job.model(), job.batch(), threads);
        CriteoSource source =
            CriteoSource.open(List.of(data.toString()), SourceOptions.defaults())) {
      MemorySegment ids = arena.allocate(lookups * Long.BYTES, 64);
      MemorySegment values = arena.allocate(lookups * dim * Float.BYTES, 64);
      new ParameterInit(job.seed())
          .nn(NnLayout.of(job.model()), 0, parameters, engine.parameters());
      SampleReader reader = null;
      long start = System.nanoTime();
      long samples = 0;
      for (int iteration = 0; iteration < iterations; iteration++) {
        int count = reader == null ? 0 : reader.read(batch);
        if (count == 0) {
          if (reader != null) {
            reader.close();
          }
          reader =
              source.reader(
                  new Split(0, 0, source.length()),
                  WorkerData.mapping(job.data(), job.model()),
                  BadLinePolicy.fail());
          count = reader.read(batch);
        }
        plan.build(batch.ids(), CriteoFormat.CATEGORIES, count);
        MemorySegment.copy(plan.rows(), 0, ids, ValueLayout.JAVA_LONG, 0, plan.unique());
        rows.gather(ids, plan.unique(), values, 0);
        EmbeddingOps.gather(plan, dim, values, engine.features());
        MemorySegment.copy(batch.labels(), 0, engine.labels(), ValueLayout.JAVA_FLOAT, 0, count);
        MemorySegment.copy(
            batch.dense(),
            0,
            engine.dense(),
            ValueLayout.JAVA_FLOAT,
            0,
            count * CriteoFormat.INTEGERS);
        double loss = engine.step(count);
        if (!Double.isFinite(loss)) {
          throw new IllegalStateException("loss " + loss + " at iteration " + iteration);
        }
        EmbeddingOps.scatterAdd(plan, dim, engine.featureGradients(), values);
        float rate = job.learningRate().at(iteration);
        rows.apply(ids, plan.unique(), values, rate);
        nnOptimizer.update(
            engine.parameters(), 0, parameters, engine.gradients(), 0, rate, iteration + 1);
        samples += count;
      }
      double seconds = (System.nanoTime() - start) / 1e9;
      if (reader != null) {
        reader.close();
      }
      return samples / seconds;
    }
  }
}
