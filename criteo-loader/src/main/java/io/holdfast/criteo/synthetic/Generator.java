package io.holdfast.criteo.synthetic;

import com.github.luben.zstd.Zstd;
import io.holdfast.criteo.Compression;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.zip.GZIPOutputStream;

/**
 * Writes synthetic rows to a file, chunk by chunk, in parallel.
 *
 * <p>Each chunk of a compressed file is a gzip member or zstd frame of its own, so that compression
 * is parallel too; both formats define such a file as the concatenation of what its parts hold.
 */
public final class Generator {
  private static final int CHUNK_ROWS = 1 << 13;
  private static final int ZSTD_LEVEL = 3;
  private static final int GZIP_LEVEL = 4;

  /** Stored bytes of some rows, with what is needed to score them. */
  private static final class Chunk {
    final double[] probabilities;
    final boolean[] clicks;
    byte[] stored;
    int size;

    Chunk(int rows) {
      probabilities = new double[rows];
      clicks = new boolean[rows];
    }
  }

  private final GeneratorOptions options;
  private final SyntheticCriteo world;
  private final Compression compression;

  private Generator(GeneratorOptions options) {
    this.options = options;
    world = new SyntheticCriteo(options.seed(), options.modelSeed());
    compression = Compression.ofName(options.out().toString());
  }

  /**
   * Generates a file. It appears under its name only once it is complete.
   *
   * @throws UncheckedIOException if it cannot be written
   */
  public static GenerationReport write(GeneratorOptions options) {
    String unique = ProcessHandle.current().pid() + "-" + Long.toHexString(System.nanoTime());
    Path out = options.out();
    Path temporary = out.resolveSibling(out.getFileName() + "." + unique + ".tmp");
    try {
      try {
        GenerationReport report = new Generator(options).writeTo(temporary);
        Files.move(temporary, out, StandardCopyOption.ATOMIC_MOVE);
        return report;
      } finally {
        Files.deleteIfExists(temporary);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(out + ": cannot be written: " + e, e);
    }
  }

  private GenerationReport writeTo(Path file) throws IOException {
    long started = System.nanoTime();
    long rows = options.rows();
    PlantedScore score = new PlantedScore(rows);
    Deque<Future<Chunk>> ahead = new ArrayDeque<>();
    long bytes = 0;
    long done = 0;
    try (ExecutorService pool = Executors.newFixedThreadPool(options.threads());
        OutputStream out = Files.newOutputStream(file)) {
      try {
        for (long next = 0; done < rows; ) {
          while (next < rows && ahead.size() < 2 * options.threads()) {
            long from = next;
            next = Math.min(rows, from + CHUNK_ROWS);
            int count = (int) (next - from);
            ahead.add(pool.submit(() -> chunk(from, count)));
          }
          Chunk chunk = ahead.remove().get();
          out.write(chunk.stored, 0, chunk.size);
          for (int i = 0; i < chunk.clicks.length; i++) {
            score.add(chunk.probabilities[i], chunk.clicks[i]);
          }
          bytes += chunk.size;
          done += chunk.clicks.length;
          options.progress().at("generating rows", done, rows);
        }
      } finally {
        pool.shutdownNow();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    } catch (ExecutionException e) {
      throw new IllegalStateException("generating rows failed", e.getCause());
    }
    return score.report(bytes, (System.nanoTime() - started) / 1e9);
  }

  private Chunk chunk(long from, int count) {
    LineWriter lines = new LineWriter(count);
    SyntheticRow row = new SyntheticRow();
    Chunk chunk = new Chunk(count);
    for (int i = 0; i < count; i++) {
      world.generate(from + i, row);
      chunk.probabilities[i] = row.probability();
      chunk.clicks[i] = row.click();
      lines.append(row);
    }
    chunk.stored =
        switch (compression) {
          case PLAIN -> lines.buffer();
          case GZIP -> gzip(lines);
          case ZSTD -> Zstd.compress(Arrays.copyOf(lines.buffer(), lines.size()), ZSTD_LEVEL);
        };
    chunk.size = compression == Compression.PLAIN ? lines.size() : chunk.stored.length;
    return chunk;
  }

  private static byte[] gzip(LineWriter lines) {
    ByteArrayOutputStream member = new ByteArrayOutputStream(lines.size() / 2);
    try (OutputStream out = new FastGzip(member)) {
      out.write(lines.buffer(), 0, lines.size());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return member.toByteArray();
  }

  private static final class FastGzip extends GZIPOutputStream {
    FastGzip(OutputStream out) throws IOException {
      super(out, 1 << 16);
      def.setLevel(GZIP_LEVEL);
    }
  }
}
