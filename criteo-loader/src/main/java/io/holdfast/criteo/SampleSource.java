package io.holdfast.criteo;

import java.util.List;

/**
 * Samples that can be cut into splits: Criteo files, or a cache made from them. Safe for several
 * threads, each with a reader of its own.
 *
 * <p>Offsets of the whole source run over its files one after the other, from 0 to {@link #length}.
 */
public interface SampleSource extends AutoCloseable {
  /** What lengths and positions count: {@code bytes} (uncompressed) or {@code rows}. */
  String unit();

  /** Length of all files together, in {@link #unit}. */
  long length();

  /**
   * Cuts a range of the source. Splits neither overlap nor leave a gap, and none spans two files.
   *
   * @param from first offset in the whole source
   * @param to offset after the last, at most {@link #length}
   * @param splitLength most units of one split, at least 1
   */
  List<Split> splits(long from, long to, long splitLength);

  /**
   * A reader of one split.
   *
   * @throws CriteoDataException if the file cannot be read
   */
  SampleReader reader(Split split, IdMapping mapping, BadLinePolicy policy);

  /**
   * Bad lines left out so far: of files, by all readers of this object together; of a cache, when
   * it was written.
   */
  long badLines();

  /** Closes what is open. Readers must not be used afterwards. */
  @Override
  void close();
}
