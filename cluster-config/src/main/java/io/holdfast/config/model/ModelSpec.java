package io.holdfast.config.model;

import java.util.Arrays;
import java.util.List;

/**
 * The shape of a DLRM. Everything that two processes must agree on to mean the same model.
 *
 * @param name the preset's name, for people
 * @param dim width of every embedding and of the bottom MLP's output
 * @param bottom widths of the bottom MLP's layers, the input first, {@code dim} last
 * @param top widths of the top MLP's layers after its input, 1 last
 * @param interaction what feeds the top MLP
 * @param tables the embedding tables in their order
 */
public record ModelSpec(
    String name,
    int dim,
    List<Integer> bottom,
    List<Integer> top,
    Interaction interaction,
    List<TableSpec> tables) {

  public ModelSpec {
    bottom = List.copyOf(bottom);
    top = List.copyOf(top);
    tables = List.copyOf(tables);
    if (dim < 1) {
      throw new IllegalArgumentException("dim is " + dim + ", must be positive");
    }
    if (bottom.size() < 2 || bottom.getLast() != dim) {
      throw new IllegalArgumentException(
          "the bottom MLP " + bottom + " must end in the embedding width " + dim);
    }
    if (top.isEmpty() || top.getLast() != 1) {
      throw new IllegalArgumentException("the top MLP " + top + " must end in 1");
    }
    if (tables.isEmpty()) {
      throw new IllegalArgumentException("a model needs at least one table");
    }
  }

  /** Number of integer features that the bottom MLP reads. */
  public int denseFeatures() {
    return bottom.getFirst();
  }

  /** Width of the top MLP's input. */
  public int interactionWidth() {
    return interaction.width(tables.size(), dim);
  }

  /** Rows of all tables together. */
  public long totalRows() {
    return tables.stream().mapToLong(TableSpec::rows).sum();
  }

  /** First global row of every table, and the total at the end: {@code tables + 1} values. */
  public long[] tableOffsets() {
    long[] offsets = new long[tables.size() + 1];
    for (int table = 0; table < tables.size(); table++) {
      offsets[table + 1] = offsets[table] + tables.get(table).rows();
    }
    return offsets;
  }

  /** The same model whose tables have at most {@code rows} rows. */
  public ModelSpec withMaxRowsPerTable(long rows) {
    List<TableSpec> capped =
        tables.stream().map(t -> new TableSpec(t.column(), Math.min(t.rows(), rows))).toList();
    return new ModelSpec(name, dim, bottom, top, interaction, capped);
  }

  /** The same model with {@code factor} times the rows in every table (the paper's 2S, 4S, 8S). */
  public ModelSpec withTablesScale(double factor) {
    List<TableSpec> scaled =
        tables.stream()
            .map(t -> new TableSpec(t.column(), Math.max(1, Math.round(t.rows() * factor))))
            .toList();
    return new ModelSpec(name, dim, bottom, top, interaction, scaled);
  }

  /** The same model with embeddings {@code factor} times as wide (the paper's 2D). */
  public ModelSpec withDimScale(int factor) {
    Integer[] widths = bottom.toArray(Integer[]::new);
    widths[widths.length - 1] = dim * factor;
    return new ModelSpec(name, dim * factor, Arrays.asList(widths), top, interaction, tables);
  }
}
