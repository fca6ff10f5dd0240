package io.holdfast.config.model;

/**
 * An optimizer with its constants; the learning rate comes with every transaction.
 *
 * @param kind which
 * @param momentum beta of {@link OptimizerKind#MOMENTUM}
 * @param beta1 of Adam
 * @param beta2 of Adam
 * @param epsilon of Adagrad and Adam
 * @param initialAccumulator Adagrad's {@code G} before the first update
 */
public record OptimizerSpec(
    OptimizerKind kind,
    float momentum,
    float beta1,
    float beta2,
    float epsilon,
    float initialAccumulator) {

  public OptimizerSpec {
    requireRange("momentum", momentum, 0, 1);
    requireRange("beta1", beta1, 0, 1);
    requireRange("beta2", beta2, 0, 1);
    if (!(epsilon > 0)) {
      throw new IllegalArgumentException("epsilon is " + epsilon + ", must be positive");
    }
    if (!(initialAccumulator >= 0)) {
      throw new IllegalArgumentException("the initial accumulator is " + initialAccumulator);
    }
  }

  private static void requireRange(String name, float value, float from, float below) {
    if (!(value >= from && value < below)) {
      throw new IllegalArgumentException(
          name + " is " + value + ", must be in [" + from + ", " + below + ")");
    }
  }

  /** The customary constants. */
  public static OptimizerSpec of(OptimizerKind kind) {
    return new OptimizerSpec(kind, 0.9f, 0.9f, 0.999f, 1e-8f, 0f);
  }

  /** The optimizer for NN shards: row-wise state makes no sense there, so Adagrad replaces it. */
  public OptimizerSpec forNn() {
    return kind == OptimizerKind.ROWWISE_ADAGRAD
        ? new OptimizerSpec(
            OptimizerKind.ADAGRAD, momentum, beta1, beta2, epsilon, initialAccumulator)
        : this;
  }
}
