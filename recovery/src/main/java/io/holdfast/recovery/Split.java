package io.holdfast.recovery;

/**
 * A stretch of one data file, the unit in which data is dealt out.
 *
 * @param file index in the job's files
 * @param from first position, in the source's unit (bytes or rows)
 * @param to position behind the last
 */
public record Split(int file, long from, long to) {
  public Split {
    if (file < 0 || from < 0 || to <= from) {
      throw new IllegalArgumentException(
          "split [" + from + ", " + to + ") of file " + file + ": it must not be empty");
    }
  }
}
