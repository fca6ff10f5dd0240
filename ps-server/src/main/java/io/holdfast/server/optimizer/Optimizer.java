package io.holdfast.server.optimizer;

import io.holdfast.config.model.OptimizerSpec;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Changes {@code n} weights and the optimizer state behind them by a gradient: a row, or an NN
 * shard. {@code [weights | state]} lie in native memory; nothing needs to be aligned.
 *
 * <p>Replicas and restarts must end in the same bytes on any machine (hazard 15). So every rule
 * fixes its order of evaluation, rounds each operation to float, uses no fused multiply-add, and
 * reduces in an order that does not depend on the vector length. Vectors compute what the scalar
 * loop over the tail computes, bit for bit; a NaN's payload alone is left open.
 */
public abstract sealed class Optimizer permits Sgd, Momentum, Adagrad, RowwiseAdagrad, Adam {
  static final VectorSpecies<Float> SPECIES =
      FloatVector.SPECIES_PREFERRED.length() <= 16
          ? FloatVector.SPECIES_PREFERRED
          : FloatVector.SPECIES_512;

  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

  /** The kernel of an optimizer. */
  public static Optimizer of(OptimizerSpec spec) {
    return switch (spec.kind()) {
      case SGD -> new Sgd();
      case MOMENTUM -> new Momentum(spec.momentum());
      case ADAGRAD -> new Adagrad(spec.epsilon(), spec.initialAccumulator());
      case ROWWISE_ADAGRAD -> new RowwiseAdagrad(spec.epsilon(), spec.initialAccumulator());
      case ADAM -> new Adam(spec.beta1(), spec.beta2(), spec.epsilon());
    };
  }

  /**
   * One update.
   *
   * @param memory holds weights and state
   * @param at of the first weight, in bytes
   * @param n number of weights
   * @param gradients holds {@code n} floats
   * @param gradientAt of the first gradient, in bytes
   * @param learningRate of this iteration
   * @param step number of this update of these weights, from 1
   */
  public final void update(
      MemorySegment memory,
      long at,
      int n,
      MemorySegment gradients,
      long gradientAt,
      float learningRate,
      long step) {
    update(memory, at, n, gradients, gradientAt, learningRate, step, SPECIES.loopBound(n));
  }

  /**
   * One update.
   *
   * @param vectorised how many of the weights, from the first, go through vectors: a multiple of
   *     their length
   */
  abstract void update(
      MemorySegment memory,
      long at,
      int n,
      MemorySegment gradients,
      long gradientAt,
      float learningRate,
      long step,
      int vectorised);

  /** Writes the state before the first update into memory that is zero. */
  public void initialState(MemorySegment memory, long at, int n) {
    // Zero is right for most.
  }

  static FloatVector vector(MemorySegment memory, long at) {
    return FloatVector.fromMemorySegment(SPECIES, memory, at, ORDER);
  }

  static void set(MemorySegment memory, long at, FloatVector value) {
    value.intoMemorySegment(memory, at, ORDER);
  }

  static float get(MemorySegment memory, long at) {
    return memory.get(FLOAT, at);
  }

  static void set(MemorySegment memory, long at, float value) {
    memory.set(FLOAT, at, value);
  }

  /** Rounds as the vectors' square root does: the double root of a float rounds innocuously. */
  static float sqrt(float x) {
    return (float) Math.sqrt(x);
  }
}
