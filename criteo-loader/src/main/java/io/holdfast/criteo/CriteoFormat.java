package io.holdfast.criteo;

/** The shape of a Criteo line: label, 13 integers, 26 hexadecimal categories, tab separated. */
public final class CriteoFormat {
  /** Number of integer columns. */
  public static final int INTEGERS = 13;

  /** Number of categorical columns. */
  public static final int CATEGORIES = 26;

  /** Number of columns of a line. */
  public static final int COLUMNS = 1 + INTEGERS + CATEGORIES;

  /**
   * No valid line is longer, in bytes and with its line end: label, 13 times a sign and 10 digits,
   * 26 times 8 digits, 39 tabs, CR and LF.
   */
  public static final int MAX_LINE_BYTES = 1 + 13 * 11 + 26 * 8 + 39 + 2;

  private CriteoFormat() {}

  /** What a one-based column is called in Criteo's description: label, I1 to I13, C1 to C26. */
  public static String columnName(int column) {
    if (column == 1) {
      return "label";
    }
    return column <= 1 + INTEGERS ? "I" + (column - 1) : "C" + (column - 1 - INTEGERS);
  }
}
