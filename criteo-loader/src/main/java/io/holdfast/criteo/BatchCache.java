package io.holdfast.criteo;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * Parsed rows of Criteo files in one memory-mapped file: preprocess once, train many times.
 *
 * <p>Categories are stored as they are in the lines, so one cache serves every id mapping. Lengths
 * and positions count rows. See docs/data.md for the layout.
 */
public final class BatchCache implements SampleSource {
  /** How much of a cache is proved when it is opened. */
  public enum Check {
    /** Header, length of the file, identity of the source. */
    HEADER,
    /** Also the checksum of every row: one pass over the file. */
    FULL
  }

  static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final Path path;
  private final Arena arena;
  private final MemorySegment rows;
  private final CacheHeader header;

  private BatchCache(Path path, Arena arena, MemorySegment rows, CacheHeader header) {
    this.path = path;
    this.arena = arena;
    this.rows = rows;
    this.header = header;
  }

  /**
   * Parses a source into a cache file, replacing what is there. It appears under its name only once
   * it is complete and on disk.
   *
   * @throws CriteoDataException if the source is damaged, changes meanwhile, holds no good line, or
   *     has more bad lines than the policy allows
   * @throws UncheckedIOException if the cache cannot be written
   */
  public static void write(
      Path cache, CriteoSource source, BadLinePolicy policy, Progress progress) {
    try {
      new BatchCacheWriter(source, policy, progress).write(cache);
    } catch (IOException e) {
      throw new UncheckedIOException(cache + ": the cache cannot be written: " + e, e);
    }
  }

  /**
   * Opens a cache if it fits.
   *
   * @param inputs the files that it must have been made from (see {@link InputFiles#find})
   * @param policy must allow the bad lines that were left out when the cache was written
   * @throws CacheRefusedException if there is no cache, or it is of other files, truncated, or
   *     corrupt; the message says which
   */
  public static BatchCache open(
      Path cache, List<InputFile> inputs, BadLinePolicy policy, Check check, Progress progress)
      throws CacheRefusedException {
    if (!Files.isRegularFile(cache)) {
      throw new CacheRefusedException(cache + ": there is no cache");
    }
    Arena arena = Arena.ofShared();
    boolean opened = false;
    try (FileChannel channel = FileChannel.open(cache, StandardOpenOption.READ)) {
      long size = channel.size();
      MemorySegment file = channel.map(MapMode.READ_ONLY, 0, size, arena);
      CacheHeader header =
          CacheHeader.decode(file.asSlice(0, Math.min(size, 1 << 26)).asByteBuffer());
      requireFit(header, size, inputs, policy);
      if (check == Check.FULL) {
        requireIntact(file, header, progress);
      }
      MemorySegment rows = file.asSlice(header.bytes(), header.rows() * CacheHeader.ROW_BYTES);
      opened = true;
      return new BatchCache(cache, arena, rows, header);
    } catch (CacheRefusedException e) {
      throw new CacheRefusedException("the cache " + cache + " is not used: " + e.getMessage(), e);
    } catch (IOException e) {
      throw new CacheRefusedException("the cache " + cache + " cannot be read: " + e, e);
    } finally {
      if (!opened) {
        arena.close();
      }
    }
  }

  private static void requireFit(
      CacheHeader header, long size, List<InputFile> inputs, BadLinePolicy policy)
      throws CacheRefusedException {
    if (header.fileBytes() != size) {
      throw new CacheRefusedException(
          "it is truncated or damaged: %d rows need %d bytes, it has %d"
              .formatted(header.rows(), header.fileBytes(), size));
    }
    String identity = CacheHeader.identityOf(inputs);
    if (!header.identity().equals(identity)) {
      throw new CacheRefusedException(
          "it was made from other files:\n" + header.identity() + "\ninstead of\n" + identity);
    }
    if (header.badLines() > policy.limit()) {
      throw new CacheRefusedException(
          header.badLines()
              + " bad lines were left out when it was written, "
              + policy.limit()
              + " are allowed now");
    }
  }

  private static void requireIntact(MemorySegment file, CacheHeader header, Progress progress)
      throws CacheRefusedException {
    long blockBytes = (long) CacheHeader.BLOCK_ROWS * CacheHeader.ROW_BYTES;
    long rowsEnd = header.bytes() + header.rows() * CacheHeader.ROW_BYTES;
    CRC32C crc = new CRC32C();
    crc.update(file.asSlice(rowsEnd).asByteBuffer());
    if ((int) crc.getValue() != header.checksumsCrc()) {
      throw new CacheRefusedException("its checksums are damaged");
    }
    long blocks = header.blocks();
    for (long block = 0; block < blocks; block++) {
      long from = header.bytes() + block * blockBytes;
      crc.reset();
      crc.update(file.asSlice(from, Math.min(blockBytes, rowsEnd - from)).asByteBuffer());
      if ((int) crc.getValue() != file.get(INT, rowsEnd + 4 * block)) {
        throw new CacheRefusedException(
            "rows from " + block * CacheHeader.BLOCK_ROWS + " are damaged: the checksum differs");
      }
      if (block % 256 == 255 || block == blocks - 1) {
        progress.at("checking the cache", block + 1, blocks);
      }
    }
  }

  /** Where the cache lies. */
  public Path path() {
    return path;
  }

  @Override
  public String unit() {
    return "rows";
  }

  @Override
  public long length() {
    return header.rows();
  }

  @Override
  public List<Split> splits(long from, long to, long splitLength) {
    if (from < 0 || to < from || to > length() || splitLength < 1) {
      throw new IllegalArgumentException(
          "splits of %d rows from %d to %d of a cache of %d rows"
              .formatted(splitLength, from, to, length()));
    }
    List<Split> splits = new ArrayList<>();
    for (long at = from; at < to; ) {
      long next = to - at <= splitLength ? to : at + splitLength;
      splits.add(new Split(0, at, next));
      at = next;
    }
    return splits;
  }

  /** A reader of one split; bad lines are long gone, so the policy has nothing to do. */
  @Override
  public SampleReader reader(Split split, IdMapping mapping, BadLinePolicy policy) {
    if (split.file() != 0) {
      throw new IllegalArgumentException(split + " of a cache, which is one file");
    }
    if (mapping == null) {
      throw new IllegalArgumentException("no id mapping");
    }
    return new CacheReader(rows, split, header.rows(), mapping);
  }

  @Override
  public long badLines() {
    return header.badLines();
  }

  @Override
  public void close() {
    arena.close();
  }
}
