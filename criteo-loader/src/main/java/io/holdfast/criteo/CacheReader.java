package io.holdfast.criteo;

import java.lang.foreign.MemorySegment;

/** Reads rows of a cache. */
final class CacheReader implements SampleReader {
  private final MemorySegment rows;
  private final IdMapping mapping;
  private final long to;
  private long row;

  CacheReader(MemorySegment rows, Split split, long length, IdMapping mapping) {
    this.rows = rows;
    this.mapping = mapping;
    to = Math.min(split.to(), length);
    row = split.from();
  }

  @Override
  public int read(CriteoBatch batch) {
    int count = Math.clamp(to - row, 0, batch.capacity());
    long at = row * CacheHeader.ROW_BYTES;
    for (int sample = 0; sample < count; sample++, at += CacheHeader.ROW_BYTES) {
      batch.labels()[sample] = rows.get(BatchCache.FLOAT, at);
      MemorySegment.copy(
          rows,
          BatchCache.FLOAT,
          at + 4,
          batch.dense(),
          sample * CriteoFormat.INTEGERS,
          CriteoFormat.INTEGERS);
      MemorySegment.copy(
          rows,
          BatchCache.INT,
          at + 4 + 4 * CriteoFormat.INTEGERS,
          batch.ids(),
          sample * CriteoFormat.CATEGORIES,
          CriteoFormat.CATEGORIES);
    }
    mapping.apply(batch.ids(), count);
    row += count;
    batch.size(count);
    return count;
  }

  @Override
  public long position() {
    return row;
  }

  @Override
  public long badLines() {
    return 0;
  }

  @Override
  public void close() {
    // The mapping belongs to the cache.
  }
}
