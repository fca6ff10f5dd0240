package io.holdfast.criteo;

/** Reads the samples of one split in order. For one thread at a time. */
public interface SampleReader extends AutoCloseable {
  /**
   * Fills a batch with the next samples.
   *
   * @return number of samples, less than the capacity only at the end of the split, 0 after it
   * @throws CriteoDataException if the input is damaged, or a line is bad and may not be skipped
   */
  int read(CriteoBatch batch);

  /**
   * Where the next unread sample starts, in the source's unit. A reader of {@code
   * split.from(position())} continues exactly there, so this is what a resumed job needs. Once the
   * split is consumed it may lie beyond the split's end.
   */
  long position();

  /** Bad lines that this reader has left out. */
  long badLines();

  @Override
  void close();
}
