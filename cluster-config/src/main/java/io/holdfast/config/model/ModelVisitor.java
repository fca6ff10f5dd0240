package io.holdfast.config.model;

import java.lang.foreign.MemorySegment;

/**
 * Takes a whole model in canonical order: every row that was ever updated, in increasing order of
 * global rows, then the NN. Rows that are not told hold their initial values.
 */
public interface ModelVisitor {
  /**
   * A row.
   *
   * @param row global id
   * @param updates how often it was updated, at least 1
   * @param values {@code [weights | state]} at {@code offsetBytes}; valid until this returns
   */
  void row(long row, int updates, MemorySegment values, long offsetBytes);

  /**
   * The NN's parameters.
   *
   * @param updates how often they were updated
   * @param weights flat, in the order of {@link NnLayout}
   * @param state {@code stateFloats / weights} flat vectors of the same length, one after the other
   */
  void nn(long updates, MemorySegment weights, MemorySegment state);
}
