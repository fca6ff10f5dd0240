package io.holdfast.criteo;

/**
 * A range of one file of a source. It owns the lines (of a cache: the rows) that start in it.
 *
 * @param file index of the file in its source
 * @param from first offset, in the source's unit: uncompressed bytes, or rows of a cache
 * @param to offset after the last; a split whose {@code to} does not exceed {@code from} is empty
 */
public record Split(int file, long from, long to) {
  public Split {
    if (file < 0 || from < 0 || to < 0) {
      throw new IllegalArgumentException(
          "split of file " + file + " from " + from + " to " + to + ": none may be negative");
    }
  }

  /** The rest of this split once everything before {@code position} is consumed. */
  public Split from(long position) {
    return new Split(file, position, to);
  }
}
