package io.holdfast.config.model;

/** How the bottom MLP's output and the embeddings become the top MLP's input. */
public enum Interaction {
  /** {@code [bottom | dots of all pairs of the tables + 1 vectors]}, as in the reference DLRM. */
  DOT,
  /** {@code [bottom | embedding 0 | embedding 1 | ...]}. */
  CAT,
  /** {@code [bottom | sum of all embeddings]}: the pooling of the paper's artefact. */
  SUM;

  /**
   * Width of the top MLP's input.
   *
   * @param tables number of embedding tables
   * @param dim width of an embedding and of the bottom MLP's output
   */
  public int width(int tables, int dim) {
    return switch (this) {
      case DOT -> dim + (tables + 1) * tables / 2;
      case CAT -> dim * (tables + 1);
      case SUM -> 2 * dim;
    };
  }
}
