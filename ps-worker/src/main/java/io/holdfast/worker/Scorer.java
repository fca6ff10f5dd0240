package io.holdfast.worker;

import io.holdfast.config.job.JobSpec;
import io.holdfast.config.protocol.DataMessage;
import io.holdfast.criteo.CriteoBatch;
import io.holdfast.criteo.CriteoFormat;
import io.holdfast.worker.dense.DenseEngine;
import io.holdfast.worker.dense.EngineKind;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Locale;

/**
 * Predicts with a model that lies on servers. NN shards are pulled once and afterwards only asked
 * whether they changed; rows are pulled batch by batch. For one thread.
 */
public final class Scorer implements AutoCloseable {
  private final ClusterReader reader;
  private final JobSpec job;
  private final Iteration iteration;
  private final CriteoBatch batch;
  private final DenseEngine engine;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment probabilities;

  /** Takes predictions. */
  @FunctionalInterface
  public interface Predictions {
    /**
     * A batch of them.
     *
     * @param probabilities of a click, {@code count} floats, valid until this returns
     * @param labels as read, {@code count} floats, valid until this returns
     */
    void batch(MemorySegment probabilities, MemorySegment labels, int count);
  }

  /**
   * A scorer.
   *
   * @param reader stays the caller's
   * @param threads for the dense part
   */
  public Scorer(ClusterReader reader, int threads) {
    this.reader = reader;
    this.job = reader.job();
    this.iteration =
        new Iteration(0, job, new LookupPlan(job.model(), job.stripeMap()), job.nnShards());
    this.batch = new CriteoBatch(job.batch());
    EngineKind kind = EngineKind.valueOf(job.denseEngine().toUpperCase(Locale.ROOT));
    this.engine = DenseEngine.create(kind, job.model(), job.batch(), threads);
    this.probabilities = arena.allocate((long) job.batch() * Float.BYTES, 64);
  }

  /** Fills batches with what is to be scored. */
  @FunctionalInterface
  public interface Samples {
    /** Fills a batch; returns the number of samples, 0 at the end. */
    int read(CriteoBatch batch);
  }

  /** Predicts all samples, in order. */
  public void score(Samples samples, Predictions predictions) {
    for (int count = samples.read(batch); count > 0; count = samples.read(batch)) {
      score(count, predictions);
    }
  }

  private void score(int count, Predictions predictions) {
    LookupPlan plan = iteration.plan;
    plan.build(batch.ids(), CriteoFormat.CATEGORIES, count);
    iteration.planned();
    RowPull pull = new RowPull(iteration, job, reader.standIns(), reader.requests());
    reader.await(
        () -> {
          pull.move(reader.standIns());
          pull.ask(reader.endpoint(), System.nanoTime(), job.retryNanos());
        },
        (from, message) -> {
          switch (message) {
            case DataMessage.Rows rows -> pull.onRows(rows);
            case DataMessage.ShardValues values -> pull.onShard(values);
            default -> {
              // An answer to an earlier question.
            }
          }
        },
        pull::complete);
    MemorySegment.copy(
        iteration.parameters, 0, engine.parameters(), 0, iteration.parameters.byteSize());
    MemorySegment.copy(batch.labels(), 0, engine.labels(), ValueLayout.JAVA_FLOAT, 0, count);
    MemorySegment.copy(
        batch.dense(),
        0,
        engine.dense(),
        ValueLayout.JAVA_FLOAT,
        0,
        count * job.model().denseFeatures());
    EmbeddingOps.gather(plan, job.model().dim(), iteration.rowValues(), engine.features());
    engine.predict(count, probabilities);
    predictions.batch(probabilities, engine.labels(), count);
  }

  @Override
  public void close() {
    engine.close();
    iteration.close();
    arena.close();
  }
}
