package io.holdfast.recovery;

/**
 * A stretch of data in one pass.
 *
 * @param pass over the data, from 0
 * @param file index in the job's files
 * @param from first position
 * @param to position behind the last
 */
public record Span(int pass, int file, long from, long to) {
  @Override
  public String toString() {
    return "[" + from + ", " + to + ") of file " + file + " in pass " + pass;
  }
}
