package io.holdfast.criteo;

import java.io.Closeable;
import java.io.EOFException;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.StandardOpenOption;

/**
 * A window that moves over the uncompressed bytes of one file.
 *
 * <p>{@code buffer[at..end)} are the next bytes, and {@code buffer[end]} is always a line feed, so
 * that a parser of the last line of a file without a final line end stops there. The window keeps
 * the byte before {@code at}, which tells whether {@code at} is the start of a line.
 */
final class ByteCursor implements Closeable {
  static final int BLOCK_BYTES = 1 << 18;

  /** Room behind the window for a parser that loads eight bytes at a time. */
  private static final int PADDING_BYTES = 16;

  private final InputFile file;
  private final InputStream stream;
  private final FileChannel channel;
  private final long length;
  private final byte[] buffer = new byte[BLOCK_BYTES + PADDING_BYTES];
  private long base;
  private int at;
  private int end;
  private boolean broken;

  /**
   * Opens a file at offset 0.
   *
   * @param length uncompressed length, known from an earlier scan; the cursor never goes beyond
   */
  ByteCursor(InputFile file, long length) {
    this.file = file;
    this.length = length;
    try {
      if (file.compression() == Compression.PLAIN) {
        channel = FileChannel.open(file.path(), StandardOpenOption.READ);
        stream = null;
      } else {
        channel = null;
        stream = open(file);
      }
    } catch (IOException e) {
      throw file.damaged(e);
    }
    seal();
  }

  /** A stream of a file's uncompressed bytes. */
  static InputStream open(InputFile file) throws IOException {
    InputStream stored =
        file.compression() == Compression.PLAIN
            ? Files.newInputStream(file.path())
            : new FileInputStream(file.path().toFile());
    try {
      return file.compression().decompress(stored);
    } catch (IOException e) {
      stored.close();
      throw e;
    }
  }

  byte[] buffer() {
    return buffer;
  }

  /** Index of the next byte in the buffer. */
  int at() {
    return at;
  }

  /** Index after the last byte in the buffer. */
  int end() {
    return end;
  }

  /** Offset of the next byte in the file. */
  long offset() {
    return base + at;
  }

  /** Consumes bytes up to an index of the buffer. */
  void moveTo(int index) {
    at = Math.min(index, end);
  }

  /** Whether a read failed, so that nothing more can be had from this cursor. */
  boolean broken() {
    return broken;
  }

  /** Whether {@link #seek} can go there without starting over. */
  boolean reaches(long offset) {
    return channel != null || offset >= base;
  }

  /** Goes to an offset that {@link #reaches} allows; beyond the file's end it stays at the end. */
  void seek(long offset) {
    long target = Math.min(offset, length);
    if (target >= base && target <= base + end) {
      at = (int) (target - base);
    } else if (channel != null) {
      base = target;
      at = 0;
      end = 0;
      seal();
    } else if (target < base) {
      throw new IllegalArgumentException(
          file.path() + ": cannot go back to " + target + " from " + base);
    } else {
      while (base + end < target) {
        at = end;
        fill();
      }
      at = (int) (target - base);
    }
  }

  /**
   * Reads on until {@code bytes} are there or the file ends.
   *
   * @return whether at least one byte is there
   */
  boolean ensure(int bytes) {
    while (end - at < bytes && base + end < length) {
      fill();
    }
    return at < end;
  }

  /** Goes to the start of the next line, or to the file's end. */
  void skipLine() {
    while (ensure(1)) {
      for (int i = at; i < end; i++) {
        if (buffer[i] == '\n') {
          at = i + 1;
          return;
        }
      }
      at = end;
    }
  }

  /** Drops what lies before the byte before {@code at} and reads at least one byte more. */
  private void fill() {
    int keep = Math.max(0, at - 1);
    System.arraycopy(buffer, keep, buffer, 0, end - keep);
    base += keep;
    at -= keep;
    end -= keep;
    try {
      int room = (int) Math.min(BLOCK_BYTES - end, length - base - end);
      int count;
      if (channel != null) {
        count = channel.read(ByteBuffer.wrap(buffer, end, room), base + end);
      } else {
        count = stream.read(buffer, end, room);
      }
      if (count <= 0) {
        throw new EOFException(
            "ends after " + (base + end) + " bytes, had " + length + " when it was opened");
      }
      end += count;
    } catch (IOException e) {
      broken = true;
      throw file.damaged(e);
    }
    seal();
  }

  private void seal() {
    buffer[end] = '\n';
  }

  @Override
  public void close() {
    try {
      if (channel != null) {
        channel.close();
      } else {
        stream.close();
      }
    } catch (IOException e) {
      throw file.damaged(e);
    }
  }
}
