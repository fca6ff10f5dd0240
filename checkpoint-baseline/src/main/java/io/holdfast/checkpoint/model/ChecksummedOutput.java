package io.holdfast.checkpoint.model;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.zip.CRC32C;

/** Writes little-endian values to a file through one large buffer; counts and checksums them. */
final class ChecksummedOutput implements AutoCloseable {
  static final int BUFFER_BYTES = 1 << 20;

  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
  private static final ValueLayout.OfFloat FLOAT_LE = FLOAT.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final Path file;
  private final FileChannel channel;
  private final ByteBuffer buffer =
      ByteBuffer.allocateDirect(BUFFER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
  private final MemorySegment segment = MemorySegment.ofBuffer(buffer);
  private final CRC32C crc = new CRC32C();
  private long written;

  /**
   * An output.
   *
   * @param file named in errors
   * @param channel closed with this
   */
  ChecksummedOutput(Path file, FileChannel channel) {
    this.file = file;
    this.channel = channel;
  }

  void putLong(long value) throws IOException {
    reserve(Long.BYTES);
    buffer.putLong(value);
  }

  void putInt(int value) throws IOException {
    reserve(Integer.BYTES);
    buffer.putInt(value);
  }

  void putFloats(MemorySegment floats, long offsetBytes, long count) throws IOException {
    long done = 0;
    while (done < count) {
      reserve(Float.BYTES);
      int part = (int) Math.min(count - done, buffer.remaining() / Float.BYTES);
      MemorySegment.copy(
          floats,
          FLOAT,
          offsetBytes + done * Float.BYTES,
          segment,
          FLOAT_LE,
          buffer.position(),
          part);
      buffer.position(buffer.position() + part * Float.BYTES);
      done += part;
    }
  }

  void putBytes(byte[] bytes) throws IOException {
    int done = 0;
    while (done < bytes.length) {
      reserve(1);
      int part = Math.min(bytes.length - done, buffer.remaining());
      buffer.put(bytes, done, part);
      done += part;
    }
  }

  /** Writes what is buffered, to the disk and not only to the kernel, and closes the file. */
  SavedFile finish() throws IOException {
    flush();
    try {
      channel.force(true);
      channel.close();
    } catch (IOException e) {
      throw failed(e);
    }
    return new SavedFile(file.getFileName().toString(), written, SavedFile.hex(crc.getValue()));
  }

  private void reserve(int bytes) throws IOException {
    if (buffer.remaining() < bytes) {
      flush();
    }
  }

  private void flush() throws IOException {
    buffer.flip();
    crc.update(buffer.duplicate());
    try {
      while (buffer.hasRemaining()) {
        written += channel.write(buffer);
      }
    } catch (IOException e) {
      throw failed(e);
    }
    buffer.clear();
  }

  private IOException failed(IOException e) {
    return new IOException(file + ": writing failed at byte " + written + ": " + e.getMessage(), e);
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
