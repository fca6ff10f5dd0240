package io.holdfast.criteo;

import java.io.EOFException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;

/**
 * Criteo files, plain or compressed, read by ranges of their uncompressed bytes.
 *
 * <p>A split owns the lines that start in it, so every line belongs to exactly one split whatever
 * the cuts. A compressed file can only be read from its start: the source keeps a few decompressing
 * streams where readers left them, and a split that lies ahead of one goes on there.
 */
public final class CriteoSource implements SampleSource {
  /** Decompressing streams that wait for a split ahead of them, over all files. */
  private static final int MAX_IDLE = 8;

  private record Idle(int file, ByteCursor cursor) {}

  private final List<InputFile> inputs;
  private final long[] lengths;
  private final BadLineLog badLineLog = new BadLineLog();
  private final Deque<Idle> idle = new ArrayDeque<>();
  private boolean closed;

  private CriteoSource(List<InputFile> inputs, long[] lengths) {
    this.inputs = List.copyOf(inputs);
    this.lengths = lengths;
  }

  /**
   * Opens files by path or glob (see {@link InputFiles#find}). Compressed ones are scanned once for
   * their length, which also proves them whole.
   *
   * @throws CriteoDataException if a file is missing, empty, truncated or corrupt
   */
  public static CriteoSource open(List<String> pathsOrGlobs, SourceOptions options) {
    return open(options, InputFiles.find(pathsOrGlobs));
  }

  /** Opens files that were found before; else as {@link #open(List, SourceOptions)}. */
  public static CriteoSource open(SourceOptions options, List<InputFile> inputs) {
    long stored = inputs.stream().mapToLong(InputFile::storedBytes).sum();
    long[] lengths = new long[inputs.size()];
    long done = 0;
    for (int i = 0; i < lengths.length; i++) {
      lengths[i] = measure(inputs.get(i), done, stored, options.progress());
      done += inputs.get(i).storedBytes();
    }
    options.progress().at("measured input", stored, stored);
    return new CriteoSource(inputs, lengths);
  }

  /**
   * Opens files whose lengths are known, without scanning them: what a worker does with the {@link
   * #inputs} and {@link #lengths} that another process measured.
   *
   * @throws CriteoDataException if a file is missing or no longer the one that was measured
   */
  public static CriteoSource measured(List<InputFile> inputs, long[] lengths) {
    if (inputs.isEmpty() || inputs.size() != lengths.length) {
      throw new IllegalArgumentException(inputs.size() + " files, " + lengths.length + " lengths");
    }
    for (InputFile input : inputs) {
      if (!input.equals(InputFile.of(input.path()))) {
        throw new CriteoDataException(input.path() + ": has changed since it was measured");
      }
    }
    return new CriteoSource(inputs, lengths.clone());
  }

  private static long measure(InputFile input, long done, long total, Progress progress) {
    if (input.compression() == Compression.PLAIN) {
      return input.storedBytes();
    }
    long[] stored = {0};
    byte[] block = new byte[ByteCursor.BLOCK_BYTES];
    try (InputStream counted =
            new FilterInputStream(Files.newInputStream(input.path())) {
              @Override
              public int read(byte[] target, int offset, int count) throws IOException {
                int read = super.read(target, offset, count);
                stored[0] += Math.max(0, read);
                return read;
              }
            };
        InputStream bytes = input.compression().decompress(counted)) {
      long length = 0;
      int blocks = 0;
      for (int count = bytes.read(block); count >= 0; count = bytes.read(block)) {
        length += count;
        if (++blocks % 256 == 0) {
          progress.at("measuring " + input.path(), done + stored[0], total);
        }
      }
      if (length == 0) {
        throw InputFile.holdsNoLine(input.path());
      }
      return length;
    } catch (IOException e) {
      throw input.damaged(e);
    }
  }

  /** The files, in reading order. */
  public List<InputFile> inputs() {
    return inputs;
  }

  /** Uncompressed length of each file, bytes. */
  public long[] lengths() {
    return lengths.clone();
  }

  long length(int file) {
    return lengths[file];
  }

  @Override
  public String unit() {
    return "bytes";
  }

  @Override
  public long length() {
    long sum = 0;
    for (long length : lengths) {
      sum += length;
    }
    return sum;
  }

  @Override
  public List<Split> splits(long from, long to, long splitLength) {
    if (from < 0 || to < from || to > length() || splitLength < 1) {
      throw new IllegalArgumentException(
          "splits of %d bytes from %d to %d of a source of %d bytes"
              .formatted(splitLength, from, to, length()));
    }
    List<Split> splits = new ArrayList<>();
    long base = 0;
    for (int file = 0; file < lengths.length; file++) {
      long end = Math.min(to - base, lengths[file]);
      long at = Math.max(0, from - base);
      while (at < end) {
        // Not at + splitLength: that could overflow.
        long next = end - at <= splitLength ? end : at + splitLength;
        splits.add(new Split(file, at, next));
        at = next;
      }
      base += lengths[file];
    }
    return splits;
  }

  @Override
  public SampleReader reader(Split split, IdMapping mapping, BadLinePolicy policy) {
    if (mapping == null) {
      throw new IllegalArgumentException("no id mapping");
    }
    return open(split, mapping, policy);
  }

  /** A reader that leaves categories as they are in the file. */
  SampleReader rawReader(Split split, BadLinePolicy policy) {
    return open(split, null, policy);
  }

  private SampleReader open(Split split, IdMapping mapping, BadLinePolicy policy) {
    if (split.file() >= inputs.size()) {
      throw new IllegalArgumentException(split + " of a source of " + inputs.size() + " files");
    }
    ByteCursor cursor = take(split.file(), Math.max(0, split.from() - 1));
    try {
      return new RawReader(this, split, mapping, policy, cursor);
    } catch (CriteoDataException e) {
      cursor.close();
      throw e;
    }
  }

  /** The idle stream of the file that has the least to skip, or a new one. */
  private ByteCursor take(int file, long offset) {
    synchronized (idle) {
      if (closed) {
        throw new IllegalStateException("the source is closed");
      }
      Idle best = null;
      for (Idle candidate : idle) {
        if (candidate.file() == file
            && candidate.cursor().reaches(offset)
            && (best == null || candidate.cursor().offset() > best.cursor().offset())) {
          best = candidate;
        }
      }
      if (best != null) {
        idle.remove(best);
        return best.cursor();
      }
    }
    return new ByteCursor(inputs.get(file), lengths[file]);
  }

  void giveBack(int file, ByteCursor cursor) {
    ByteCursor surplus = cursor;
    synchronized (idle) {
      if (!closed && !cursor.broken() && inputs.get(file).compression() != Compression.PLAIN) {
        idle.addLast(new Idle(file, cursor));
        surplus = idle.size() > MAX_IDLE ? idle.removeFirst().cursor() : null;
      }
    }
    if (surplus != null) {
      surplus.close();
    }
  }

  /** Number of lines that end before an offset: a pass over the file up to there. */
  long linesBefore(int file, long offset) {
    InputFile input = inputs.get(file);
    byte[] block = new byte[ByteCursor.BLOCK_BYTES];
    try (InputStream bytes = ByteCursor.open(input)) {
      long lines = 0;
      for (long left = offset; left > 0; ) {
        int count = bytes.read(block, 0, (int) Math.min(block.length, left));
        if (count < 0) {
          throw new EOFException("ends before byte " + offset);
        }
        left -= count;
        for (int i = 0; i < count; i++) {
          lines += block[i] == '\n' ? 1 : 0;
        }
      }
      return lines;
    } catch (IOException e) {
      throw input.damaged(e);
    }
  }

  BadLineLog badLineLog() {
    return badLineLog;
  }

  @Override
  public long badLines() {
    return badLineLog.count();
  }

  /** The first bad lines that were left out, at most 100. */
  public List<BadLine> describedBadLines() {
    return badLineLog.described();
  }

  /** Starts counting bad lines anew, for instance before another epoch over the same lines. */
  public void forgetBadLines() {
    badLineLog.forget();
  }

  @Override
  public void close() {
    synchronized (idle) {
      closed = true;
      for (Iterator<Idle> each = idle.iterator(); each.hasNext(); ) {
        each.next().cursor().close();
        each.remove();
      }
    }
  }
}
