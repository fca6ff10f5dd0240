package io.holdfast.criteo.synthetic;

import io.holdfast.criteo.CriteoFormat;

/** One generated row, in arrays that are reused. */
public final class SyntheticRow {
  final int[] integers = new int[CriteoFormat.INTEGERS];
  final boolean[] integerMissing = new boolean[CriteoFormat.INTEGERS];
  final long[] ranks = new long[CriteoFormat.CATEGORIES];
  final int[] categories = new int[CriteoFormat.CATEGORIES];

  /** Index into the quantiles of each integer, -1 where it is missing. */
  final int[] quantiles = new int[CriteoFormat.INTEGERS];

  final RowRandom random = new RowRandom();
  double probability;
  boolean click;

  /** The label that was drawn. */
  public boolean click() {
    return click;
  }

  /** The true probability of a click: no model can predict better. */
  public double probability() {
    return probability;
  }

  /** Value of a zero-based integer column; 0 if it is missing. */
  public int integer(int column) {
    return integers[column];
  }

  /** Whether a zero-based integer column is missing. */
  public boolean integerMissing(int column) {
    return integerMissing[column];
  }

  /** Frequency rank, 0 the most frequent, of a zero-based categorical column; -1 if missing. */
  public long rank(int column) {
    return ranks[column];
  }

  /** The 32 bits that stand, in hexadecimal, in the line; 0 if the category is missing. */
  public int category(int column) {
    return categories[column];
  }
}
