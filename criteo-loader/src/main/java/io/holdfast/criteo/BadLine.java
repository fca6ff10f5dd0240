package io.holdfast.criteo;

/**
 * A line that could not be read.
 *
 * @param file path of the file
 * @param line one-based line number
 * @param offset offset of the line's first byte in the uncompressed file
 * @param column one-based column at which reading failed (1 is the label)
 * @param reason what is wrong there
 */
public record BadLine(String file, long line, long offset, int column, String reason) {
  @Override
  public String toString() {
    return "%s, line %d (byte %d), column %d (%s): %s"
        .formatted(file, line, offset, column, CriteoFormat.columnName(column), reason);
  }
}
