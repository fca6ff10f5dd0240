package io.holdfast.recovery;

import java.util.List;

/**
 * What a job trains on: either a number of passes over its splits, or a number of iterations, for
 * which it passes over the splits as often as it needs to.
 *
 * @param splits in their order; they do not overlap
 * @param passes over the splits; 0 if {@code iterations} counts
 * @param iterations of all workers together; 0 if {@code passes} counts
 */
public record TrainingData(List<Split> splits, int passes, long iterations) {
  public TrainingData {
    splits = List.copyOf(splits);
    if (splits.isEmpty()) {
      throw new IllegalArgumentException("no data: there is not a single split");
    }
    if (passes < 0 || iterations < 0 || (passes == 0) == (iterations == 0)) {
      throw new IllegalArgumentException(
          passes + " passes and " + iterations + " iterations: one of both must be given");
    }
    SpanSet all = new SpanSet();
    for (Split split : splits) {
      all.add(new Span(0, split.file(), split.from(), split.to()));
    }
  }

  /** So many passes over all splits. */
  public static TrainingData ofPasses(List<Split> splits, int passes) {
    return new TrainingData(splits, passes, 0);
  }

  /** So many iterations, however many passes they take. */
  public static TrainingData ofIterations(List<Split> splits, long iterations) {
    return new TrainingData(splits, 0, iterations);
  }

  boolean endsByIterations() {
    return iterations > 0;
  }
}
