package io.holdfast.config.model;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** How gradients change parameters. */
public enum OptimizerKind {
  /** {@code w -= lr * g}. No state. */
  SGD,
  /** {@code v = beta * v + g; w -= lr * v}. State: {@code v}, one float per weight. */
  MOMENTUM,
  /** {@code G += g^2; w -= lr * g / (sqrt(G) + eps)}. State: {@code G}, one float per weight. */
  ADAGRAD,
  /** Adagrad whose {@code G} is the mean of {@code g^2} over the row: one float per row. */
  ROWWISE_ADAGRAD,
  /** Kingma and Ba 2015. State: both moments; the step is the row's own update counter. */
  ADAM;

  /**
   * Floats of optimizer state.
   *
   * @param weights number of weights of the row or NN shard
   */
  public int stateFloats(int weights) {
    return switch (this) {
      case SGD -> 0;
      case MOMENTUM, ADAGRAD -> weights;
      case ROWWISE_ADAGRAD -> 1;
      case ADAM -> 2 * weights;
    };
  }

  /** The name on the command line: {@code rowwise-adagrad}. */
  public String option() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /**
   * The optimizer of a command-line name.
   *
   * @throws IllegalArgumentException naming all that there are
   */
  public static OptimizerKind ofOption(String option) {
    return Arrays.stream(values())
        .filter(kind -> kind.option().equals(option))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "no optimizer is named '"
                        + option
                        + "'; there are "
                        + Arrays.stream(values())
                            .map(OptimizerKind::option)
                            .collect(Collectors.joining(", "))));
  }
}
