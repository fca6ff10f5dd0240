package io.holdfast.worker.dense;

import io.holdfast.config.model.ModelSpec;
import java.lang.foreign.MemorySegment;

/**
 * The dense part of a DLRM: forward, loss and backward of one batch.
 *
 * <p>An engine owns off-heap buffers of native-order floats. The caller fills {@link #parameters},
 * {@link #dense}, {@link #features} and {@link #labels} in place, calls {@link #step} and reads
 * {@link #gradients} and {@link #featureGradients} in place; nothing is copied in between. Buffers
 * are made for {@code capacity} samples; a batch uses the first {@code batch} of them.
 *
 * <p>An engine is used by one thread at a time; several engines can run at once in one process.
 * {@link EngineKind#ND4J} honours {@code threads} for each engine by itself: every thread takes a
 * share of the batch's samples through single-threaded GEMMs, and the shares' gradients are added
 * in a fixed order. OpenBLAS is told to use one thread, which is a setting of the whole process
 * (the OpenBLAS that ND4J loads has one pool of threads, not one per caller). {@link
 * EngineKind#DL4J} has no such choice: it sets the process-wide thread counts of OpenBLAS and ND4J
 * to its own {@code threads}, so the last engine that was made decides for all, and its calls queue
 * for one pool. Engines of both kinds at once are right but share that setting.
 *
 * <p>The same inputs give the same bits for the same {@code threads}, on one machine.
 */
public interface DenseEngine extends AutoCloseable {

  /**
   * Makes an engine with zeroed buffers.
   *
   * @param capacity the largest batch, at least 1
   * @param threads threads that a step may use, at least 1
   */
  static DenseEngine create(EngineKind kind, ModelSpec model, int capacity, int threads) {
    if (capacity < 1) {
      throw new IllegalArgumentException(
          "the engine's capacity is " + capacity + " samples, must be at least 1");
    }
    if (threads < 1) {
      throw new IllegalArgumentException(
          "the engine's threads are " + threads + ", must be at least 1");
    }
    return switch (kind) {
      case ND4J -> new Nd4jEngine(model, capacity, threads);
      case DL4J -> new Dl4jEngine(model, capacity, threads);
    };
  }

  /** The largest batch. */
  int capacity();

  /** NN parameters, flat, in the order of {@code NnLayout}. */
  MemorySegment parameters();

  /** Integer features, {@code [capacity][denseFeatures]}. */
  MemorySegment dense();

  /**
   * Embeddings, {@code [capacity][tables + 1][dim]}: slots 1 to {@code tables} of a sample are the
   * caller's; slot 0 is the engine's, for the bottom MLP's output.
   */
  MemorySegment features();

  /** Labels, {@code [capacity]}, 0 or 1 (values between are allowed: soft labels). */
  MemorySegment labels();

  /**
   * Forward and backward.
   *
   * @param batch number of samples, 1 to {@link #capacity}
   * @return mean binary cross entropy over the batch; NaN or infinite if something went wrong, see
   *     {@link #findNonFinite}
   */
  double step(int batch);

  /** Logits of the last step or prediction, {@code [capacity]}. */
  MemorySegment logits();

  /**
   * Gradient of the mean loss for the NN parameters, in the order of {@link #parameters}; complete
   * when {@link #step} returns, overwritten by the next step.
   */
  MemorySegment gradients();

  /**
   * Gradient of the mean loss for the embeddings, laid out as {@link #features}; slot 0 of a sample
   * is unspecified. Complete when {@link #step} returns, overwritten by the next step.
   */
  MemorySegment featureGradients();

  /**
   * Forward only.
   *
   * @param batch number of samples, 1 to {@link #capacity}
   * @param probabilities receives {@code batch} floats, each sample's probability of a click
   */
  void predict(int batch, MemorySegment probabilities);

  /**
   * Looks for NaN and infinity, first in what the caller filled in, then in what the engine
   * computed from it; for the message after a loss or a gradient that is not finite. Slow.
   *
   * @param batch the batch of the last step
   * @return what and where, for instance {@code "embeddings of table 3 (sample 17)"}, {@code
   *     "top.1.weights"} or {@code "gradient of top.1.weights"}; null if all is finite
   */
  String findNonFinite(int batch);

  /** Frees the buffers; using them afterwards throws. */
  @Override
  void close();
}
