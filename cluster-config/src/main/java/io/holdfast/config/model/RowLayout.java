package io.holdfast.config.model;

/**
 * A stored row: {@code [weights | optimizer state | padding]}, one fixed stride.
 *
 * @param dim weights of a row
 * @param stateFloats optimizer state of a row
 */
public record RowLayout(int dim, int stateFloats) {
  /** Rows start on cache lines. */
  private static final int ALIGNMENT_BYTES = 64;

  public static RowLayout of(ModelSpec model, OptimizerSpec optimizer) {
    return new RowLayout(model.dim(), optimizer.kind().stateFloats(model.dim()));
  }

  /** Floats of weights and state. */
  public int rowFloats() {
    return dim + stateFloats;
  }

  public int weightBytes() {
    return dim * Float.BYTES;
  }

  /** Bytes of weights and state, without padding. */
  public int rowBytes() {
    return rowFloats() * Float.BYTES;
  }

  /** Bytes from one stored row to the next. */
  public int strideBytes() {
    return (rowBytes() + ALIGNMENT_BYTES - 1) / ALIGNMENT_BYTES * ALIGNMENT_BYTES;
  }
}
