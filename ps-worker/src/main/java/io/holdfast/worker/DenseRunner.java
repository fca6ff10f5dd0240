package io.holdfast.worker;

import io.holdfast.config.job.JobSpec;
import io.holdfast.config.model.NnLayout;
import io.holdfast.worker.dense.DenseEngine;
import io.holdfast.worker.dense.EngineKind;
import io.holdfast.worker.metrics.RunningMetrics;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Locale;
import java.util.concurrent.atomic.LongAdder;

/** Runs the dense step of an iteration. Works on the dense thread. */
final class DenseRunner implements AutoCloseable {
  /** The training AUC that is shown is that of about this many recent samples of the worker. */
  private static final double METRICS_HALF_LIFE_SAMPLES = 100_000;

  private final JobSpec job;
  private final DenseEngine engine;
  private final long nnBytes;
  private final LongAdder denseNanos = new LongAdder();
  private final LongAdder waitNanos = new LongAdder();
  private final RunningMetrics metrics;
  private final MemorySegment probabilities;
  private final Arena arena = Arena.ofShared();
  private volatile double streamingAuc = Double.NaN;
  private long idleSinceNanos;

  /** The step's loss or a gradient is NaN or infinite. */
  static final class NotFiniteException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    NotFiniteException(String message) {
      super(message);
    }
  }

  DenseRunner(JobSpec job) {
    this.job = job;
    EngineKind kind = EngineKind.valueOf(job.denseEngine().toUpperCase(Locale.ROOT));
    this.engine = DenseEngine.create(kind, job.model(), job.batch(), job.denseThreads());
    this.metrics = new RunningMetrics(METRICS_HALF_LIFE_SAMPLES);
    this.probabilities = arena.allocate((long) job.batch() * Float.BYTES, 64);
    this.nnBytes = (long) NnLayout.of(job.model()).parameters() * Float.BYTES;
  }

  /**
   * Turns an iteration's rows and parameters into their gradients.
   *
   * @return the batch's mean loss
   * @throws NotFiniteException naming the step and the tensor
   */
  double run(Iteration iteration) {
    long start = System.nanoTime();
    if (idleSinceNanos != 0) {
      waitNanos.add(start - idleSinceNanos);
    }
    int dim = job.model().dim();
    LookupPlan plan = iteration.plan;
    int samples = plan.samples();
    MemorySegment.copy(iteration.parameters, 0, engine.parameters(), 0, nnBytes);
    MemorySegment.copy(iteration.labels, 0, engine.labels(), ValueLayout.JAVA_FLOAT, 0, samples);
    MemorySegment.copy(
        iteration.dense,
        0,
        engine.dense(),
        ValueLayout.JAVA_FLOAT,
        0,
        samples * job.model().denseFeatures());
    EmbeddingOps.gather(plan, dim, iteration.rowValues(), engine.features());
    double loss = engine.step(samples);
    EmbeddingOps.scatterAdd(plan, dim, engine.featureGradients(), iteration.rowValues());
    MemorySegment.copy(engine.gradients(), 0, iteration.parameterGradients, 0, nnBytes);
    if (!Double.isFinite(loss)
        || !EmbeddingOps.allFinite(iteration.parameterGradients, nnBytes / Float.BYTES)
        || !EmbeddingOps.allFinite(iteration.rowValues(), (long) plan.unique() * dim)) {
      throw new NotFiniteException(
          "step "
              + iteration.step
              + ": loss "
              + loss
              + ", not finite: "
              + engine.findNonFinite(samples)
              + "; a lower learning.rate or a warm-up (learning.warmup) usually helps");
    }
    observe(samples);
    idleSinceNanos = System.nanoTime();
    denseNanos.add(idleSinceNanos - start);
    return loss;
  }

  private void observe(int samples) {
    for (int sample = 0; sample < samples; sample++) {
      float logit = engine.logits().getAtIndex(ValueLayout.JAVA_FLOAT, sample);
      float probability = (float) (1 / (1 + Math.exp(-logit)));
      probabilities.setAtIndex(ValueLayout.JAVA_FLOAT, sample, probability);
    }
    metrics.add(probabilities, engine.labels(), samples);
    streamingAuc = metrics.auc();
  }

  /**
   * AUC of recent samples, each scored before it was trained; NaN before both classes were seen.
   */
  double streamingAuc() {
    return streamingAuc;
  }

  /** Time spent in dense steps, gathering and scattering included. */
  long denseNanos() {
    return denseNanos.sum();
  }

  /** Time between steps that the dense thread had nothing to compute. */
  long waitNanos() {
    return waitNanos.sum();
  }

  @Override
  public void close() {
    engine.close();
    arena.close();
  }
}
