package io.holdfast.checkpoint.model;

import io.holdfast.config.model.ModelSpec;
import io.holdfast.config.model.NnLayout;
import io.holdfast.config.model.OptimizerSpec;
import java.lang.foreign.MemorySegment;

/**
 * Checks that a model is told as {@link io.holdfast.config.model.ModelVisitor} demands: rows of the
 * model in strictly increasing order, then the NN, once, in full. A row told twice or out of order
 * would silently give another digest and a file that cannot be searched.
 */
final class CanonicalOrder {
  private final long totalRows;
  private final long nnWeightBytes;
  private final long nnStateBytes;
  private long previous = -1;
  private long rows;
  private boolean nnTold;

  CanonicalOrder(ModelSpec model, OptimizerSpec optimizer) {
    totalRows = model.totalRows();
    int parameters = NnLayout.of(model).parameters();
    nnWeightBytes = (long) parameters * Float.BYTES;
    nnStateBytes = (long) optimizer.forNn().kind().stateFloats(parameters) * Float.BYTES;
  }

  /**
   * Checks a row.
   *
   * @throws IllegalArgumentException if it must not come now
   */
  void row(long row, int updates) {
    if (nnTold) {
      throw new IllegalArgumentException("row " + row + " comes after the NN");
    }
    if (row <= previous) {
      throw new IllegalArgumentException(
          "row " + row + " comes after row " + previous + ", must be greater");
    }
    if (row >= totalRows) {
      throw new IllegalArgumentException("row " + row + " of a model of " + totalRows + " rows");
    }
    if (updates < 1) {
      throw new IllegalArgumentException("row " + row + " has " + updates + " updates");
    }
    previous = row;
    rows++;
  }

  /**
   * Checks the NN.
   *
   * @throws IllegalArgumentException if it comes twice or in another length
   */
  void nn(long updates, MemorySegment weights, MemorySegment state) {
    if (nnTold) {
      throw new IllegalArgumentException("the NN comes twice");
    }
    if (updates < 0) {
      throw new IllegalArgumentException("the NN has " + updates + " updates");
    }
    requireBytes("weights", weights, nnWeightBytes);
    requireBytes("state", state, nnStateBytes);
    nnTold = true;
  }

  private static void requireBytes(String what, MemorySegment segment, long bytes) {
    if (segment.byteSize() != bytes) {
      throw new IllegalArgumentException(
          "the NN's " + what + " have " + segment.byteSize() + " bytes, must be " + bytes);
    }
  }

  /**
   * Checks that the whole model was told.
   *
   * @throws IllegalStateException if the NN did not come
   */
  void requireComplete() {
    if (!nnTold) {
      throw new IllegalStateException(
          "the model is not complete: the NN did not come after " + rows + " rows");
    }
  }

  /** Rows so far. */
  long rows() {
    return rows;
  }
}
