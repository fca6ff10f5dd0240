package io.holdfast.criteo;

/**
 * Maps a column's 32-bit category value to a row of the column's table. A missing category counts
 * as value 0.
 *
 * <p>{@link Kind#MODULO}: the value, unsigned, modulo the number of rows, as in the reference DLRM
 * and in MLPerf's cap. The remainder is computed with two multiplications (Lemire, Kaser, Kurz:
 * "Faster remainder by direct computation", 2019), exact for 32-bit operands.
 *
 * <p>{@link Kind#HASH}: {@code mix(value + (column + 1) * 0x9E3779B97F4A7C15)} with the finalizer
 * of SplitMix64 (Stafford's variant 13), whose upper 32 bits are scaled to the number of rows. The
 * column takes part, so equal values of two columns fall on unrelated rows.
 */
public final class IdMapping {
  /** How a value becomes a row. */
  public enum Kind {
    MODULO,
    HASH
  }

  private static final long GOLDEN = 0x9E3779B97F4A7C15L;

  private final Kind kind;
  private final long[] rows;

  /** ceil(2^64 / rows) of each column; 0 (that is 2^64) for a table of one row. */
  private final long[] reciprocals;

  /**
   * A mapping.
   *
   * @param rowsPerColumn rows of the table of each of the 26 columns, at most 2^31-1; 0 says that
   *     the column is not used: all its ids are then 0
   */
  public IdMapping(Kind kind, long[] rowsPerColumn) {
    if (rowsPerColumn.length != CriteoFormat.CATEGORIES) {
      throw new IllegalArgumentException(
          "rows are given for " + rowsPerColumn.length + " columns, must be 26");
    }
    this.kind = kind;
    rows = rowsPerColumn.clone();
    reciprocals = new long[rows.length];
    for (int column = 0; column < rows.length; column++) {
      if (rows[column] < 0 || rows[column] > Integer.MAX_VALUE) {
        throw new IllegalArgumentException(
            "table of C"
                + (column + 1)
                + " has "
                + rows[column]
                + " rows, must be 0 to 2147483647");
      }
      reciprocals[column] = rows[column] == 0 ? 0 : Long.divideUnsigned(-1L, rows[column]) + 1;
    }
  }

  /** How values become rows. */
  public Kind kind() {
    return kind;
  }

  /** Rows of each column's table: [26]. */
  public long[] rowsPerColumn() {
    return rows.clone();
  }

  /** The row of a value (its 32 bits, unsigned) of a zero-based column; 0 if it is not used. */
  public int row(int column, int value) {
    return kind == Kind.MODULO ? modulo(column, value) : hash(column, value);
  }

  /** Maps raw values to rows in place: [samples][26], row major. */
  void apply(int[] values, int samples) {
    int at = 0;
    if (kind == Kind.MODULO) {
      for (int sample = 0; sample < samples; sample++) {
        for (int column = 0; column < CriteoFormat.CATEGORIES; column++, at++) {
          values[at] = modulo(column, values[at]);
        }
      }
    } else {
      for (int sample = 0; sample < samples; sample++) {
        for (int column = 0; column < CriteoFormat.CATEGORIES; column++, at++) {
          values[at] = hash(column, values[at]);
        }
      }
    }
  }

  private int modulo(int column, int value) {
    long fraction = reciprocals[column] * Integer.toUnsignedLong(value);
    return (int) Math.unsignedMultiplyHigh(fraction, rows[column]);
  }

  private int hash(int column, int value) {
    long mixed = mix(Integer.toUnsignedLong(value) + (column + 1) * GOLDEN);
    return (int) (((mixed >>> 32) * rows[column]) >>> 32);
  }

  private static long mix(long value) {
    long z = (value ^ (value >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }
}
