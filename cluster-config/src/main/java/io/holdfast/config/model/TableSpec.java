package io.holdfast.config.model;

/**
 * One embedding table.
 *
 * @param column zero-based categorical column of the input (0 is Criteo's C1)
 * @param rows number of rows, at least 1
 */
public record TableSpec(int column, long rows) {
  public TableSpec {
    if (column < 0) {
      throw new IllegalArgumentException("column is " + column + ", must not be negative");
    }
    if (rows < 1) {
      throw new IllegalArgumentException("table of column " + column + " has " + rows + " rows");
    }
  }
}
