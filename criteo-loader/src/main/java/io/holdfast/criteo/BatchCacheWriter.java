package io.holdfast.criteo;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.zip.CRC32C;

/** Parses a whole source into a cache file, block by block. */
final class BatchCacheWriter {
  private final CriteoSource source;
  private final BadLinePolicy policy;
  private final Progress progress;
  private final CriteoBatch batch = new CriteoBatch(CacheHeader.BLOCK_ROWS);
  private final ByteBuffer block =
      ByteBuffer.allocateDirect(CacheHeader.BLOCK_ROWS * CacheHeader.ROW_BYTES)
          .order(ByteOrder.LITTLE_ENDIAN);
  private final FloatBuffer floats = block.asFloatBuffer();
  private final IntBuffer ints = block.asIntBuffer();
  private int[] checksums = new int[64];
  private int blocks;
  private long rows;
  private long badLines;
  private int blockRows;

  BatchCacheWriter(CriteoSource source, BadLinePolicy policy, Progress progress) {
    this.source = source;
    this.policy = policy;
    this.progress = progress;
  }

  /** Writes under a temporary name, then renames: a cache is there whole or not at all. */
  void write(Path target) throws IOException {
    String unique = ProcessHandle.current().pid() + "-" + Long.toHexString(System.nanoTime());
    Path temporary = target.resolveSibling(target.getFileName() + "." + unique + ".tmp");
    try {
      try (FileChannel out =
          FileChannel.open(temporary, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW)) {
        String identity = CacheHeader.identityOf(source.inputs());
        int headerBytes = CacheHeader.bytesFor(identity);
        out.position(headerBytes);
        writeRows(out);
        ByteBuffer sums = ByteBuffer.allocate(4 * blocks).order(ByteOrder.LITTLE_ENDIAN);
        sums.asIntBuffer().put(checksums, 0, blocks);
        CRC32C crc = new CRC32C();
        crc.update(sums.duplicate());
        writeAll(out, sums);
        int sumsCrc = (int) crc.getValue();
        CacheHeader header = new CacheHeader(headerBytes, rows, badLines, sumsCrc, identity);
        requireUnchanged();
        out.position(0);
        writeAll(out, header.encode());
        out.force(true);
      }
      Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(temporary);
    }
  }

  private void writeRows(FileChannel out) throws IOException {
    long total = source.length();
    long done = 0;
    for (int file = 0; file < source.inputs().size(); file++) {
      long length = source.length(file);
      try (SampleReader reader = source.rawReader(new Split(file, 0, length), policy)) {
        while (reader.read(batch) > 0) {
          append(out);
          progress.at("writing the cache", done + Math.min(length, reader.position()), total);
        }
        badLines += reader.badLines();
      }
      done += length;
    }
    flush(out);
    if (rows == 0) {
      throw new CriteoDataException("the source holds no good line; nothing to cache");
    }
  }

  private void append(FileChannel out) throws IOException {
    for (int sample = 0; sample < batch.size(); sample++) {
      int at = blockRows * CriteoFormat.COLUMNS;
      floats.put(at, batch.labels()[sample]);
      floats.put(at + 1, batch.dense(), sample * CriteoFormat.INTEGERS, CriteoFormat.INTEGERS);
      ints.put(
          at + 1 + CriteoFormat.INTEGERS,
          batch.ids(),
          sample * CriteoFormat.CATEGORIES,
          CriteoFormat.CATEGORIES);
      if (++blockRows == CacheHeader.BLOCK_ROWS) {
        flush(out);
      }
    }
  }

  private void flush(FileChannel out) throws IOException {
    if (blockRows == 0) {
      return;
    }
    block.position(0).limit(blockRows * CacheHeader.ROW_BYTES);
    CRC32C crc = new CRC32C();
    crc.update(block.duplicate());
    if (blocks == checksums.length) {
      checksums = Arrays.copyOf(checksums, 2 * blocks);
    }
    checksums[blocks++] = (int) crc.getValue();
    writeAll(out, block);
    rows += blockRows;
    blockRows = 0;
  }

  private void requireUnchanged() {
    for (InputFile input : source.inputs()) {
      if (!input.equals(InputFile.of(input.path()))) {
        throw new CriteoDataException(input.path() + ": has changed while it was read");
      }
    }
  }

  private static void writeAll(FileChannel out, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      out.write(bytes);
    }
  }
}
