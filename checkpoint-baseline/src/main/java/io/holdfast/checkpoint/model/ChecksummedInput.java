package io.holdfast.checkpoint.model;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.function.LongConsumer;
import java.util.zip.CRC32C;

/** Reads what {@link ChecksummedOutput} wrote and compares length and checksum at the end. */
final class ChecksummedInput implements AutoCloseable {
  private static final int BUFFER_BYTES = 1 << 20;

  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
  private static final ValueLayout.OfFloat FLOAT_LE = FLOAT.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final Path file;
  private final SavedFile told;
  private final FileChannel channel;
  private final ByteBuffer buffer =
      ByteBuffer.allocateDirect(BUFFER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
  private final MemorySegment segment = MemorySegment.ofBuffer(buffer);
  private final CRC32C crc = new CRC32C();
  private long read;

  /** Opens a file of a saved model's directory. */
  ChecksummedInput(Path directory, SavedFile told) throws IOException {
    this.file = directory.resolve(told.name());
    this.told = told;
    try {
      channel = FileChannel.open(file, StandardOpenOption.READ);
    } catch (NoSuchFileException e) {
      throw new SavedModelException(file, "is missing", e);
    }
    buffer.limit(0);
  }

  long getLong() throws IOException {
    require(Long.BYTES);
    return buffer.getLong();
  }

  int getInt() throws IOException {
    require(Integer.BYTES);
    return buffer.getInt();
  }

  void getFloats(MemorySegment target, long count) throws IOException {
    long done = 0;
    while (done < count) {
      require(Float.BYTES);
      int part = (int) Math.min(count - done, buffer.remaining() / Float.BYTES);
      MemorySegment.copy(
          segment, FLOAT_LE, buffer.position(), target, FLOAT, done * Float.BYTES, part);
      buffer.position(buffer.position() + part * Float.BYTES);
      done += part;
    }
  }

  /**
   * Reads whatever is left, for its checksum.
   *
   * @param progress is told the bytes read of this file, after each part
   */
  void skipAll(LongConsumer progress) throws IOException {
    buffer.position(buffer.limit());
    while (fill()) {
      buffer.position(buffer.limit());
      progress.accept(read);
    }
  }

  /** Compares length and checksum after everything was read. */
  void finish() throws IOException {
    if (buffer.hasRemaining() || fill() || read != told.bytes()) {
      throw new SavedModelException(
          file,
          "has "
              + channel.size()
              + " bytes, must have "
              + told.bytes()
              + ": it was changed while it was read");
    }
    String found = SavedFile.hex(crc.getValue());
    if (!found.equals(told.crc32c())) {
      throw new SavedModelException(
          file,
          "the checksum of its "
              + read
              + " bytes is "
              + found
              + ", must be "
              + told.crc32c()
              + ": it was changed or damaged after it was saved");
    }
  }

  private void require(int bytes) throws IOException {
    while (buffer.remaining() < bytes) {
      if (!fill()) {
        throw new SavedModelException(
            file, "ends at byte " + read + ", must have " + told.bytes() + " bytes");
      }
    }
  }

  /** Reads more behind what is left in the buffer; false at the end of the file. */
  private boolean fill() throws IOException {
    buffer.compact();
    int from = buffer.position();
    int count;
    try {
      count = channel.read(buffer);
    } catch (IOException e) {
      throw new IOException(file + ": reading failed at byte " + read + ": " + e.getMessage(), e);
    }
    buffer.flip();
    if (count < 0) {
      return false;
    }
    crc.update(buffer.duplicate().position(from));
    read += count;
    return true;
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
