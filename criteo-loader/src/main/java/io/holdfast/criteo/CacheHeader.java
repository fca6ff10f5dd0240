package io.holdfast.criteo;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Collectors;
import java.util.zip.CRC32C;

/**
 * The head of a cache file, little endian: magic (8 bytes), version (4), header length (4), rows
 * (8), bad lines left out (8), CRC-32C of the block checksums (4), length of the identity (4), the
 * identity (UTF-8), zeros, and in the last 4 bytes the CRC-32C of all before.
 *
 * <p>Behind it lie the rows, {@link #ROW_BYTES} each, then one CRC-32C for each {@link #BLOCK_ROWS}
 * rows.
 *
 * @param bytes length of the header, a multiple of 4096
 * @param rows number of rows
 * @param badLines bad lines that were left out
 * @param checksumsCrc CRC-32C of the block checksums
 * @param identity tells the source
 */
record CacheHeader(int bytes, long rows, long badLines, int checksumsCrc, String identity) {
  /** A row: label, 13 floats log(1+x), 26 raw category values, all of 4 bytes. */
  static final int ROW_BYTES = 4 * CriteoFormat.COLUMNS;

  /** Rows under one checksum. */
  static final int BLOCK_ROWS = 4096;

  static final int VERSION = 1;
  static final int ALIGNMENT = 4096;
  private static final long MAGIC =
      ByteBuffer.wrap("HFCRITEO".getBytes(StandardCharsets.US_ASCII))
          .order(ByteOrder.LITTLE_ENDIAN)
          .getLong();
  private static final int FIXED_BYTES = 44;

  /** What makes files the same: names, sizes, times of modification. Not their directory. */
  static String identityOf(List<InputFile> inputs) {
    return inputs.stream()
        .map(
            f ->
                "%s %d bytes, modified %d"
                    .formatted(f.path().getFileName(), f.storedBytes(), f.modifiedMillis()))
        .collect(Collectors.joining("\n"));
  }

  /** Length of the header for an identity. */
  static int bytesFor(String identity) {
    int used = FIXED_BYTES + identity.getBytes(StandardCharsets.UTF_8).length;
    return Math.ceilDiv(used, ALIGNMENT) * ALIGNMENT;
  }

  /** Number of checksums. */
  long blocks() {
    return Math.ceilDiv(rows, (long) BLOCK_ROWS);
  }

  /** Length of the whole file. */
  long fileBytes() {
    return bytes + rows * ROW_BYTES + 4 * blocks();
  }

  /** The header's bytes. */
  ByteBuffer encode() {
    byte[] name = identity.getBytes(StandardCharsets.UTF_8);
    ByteBuffer head = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    head.putLong(MAGIC).putInt(VERSION).putInt(bytes).putLong(rows).putLong(badLines);
    head.putInt(checksumsCrc).putInt(name.length).put(name);
    head.putInt(bytes - 4, crc(head.array(), bytes - 4));
    return head.position(0);
  }

  /**
   * Reads a header.
   *
   * @param file the first bytes of the file, at least the header if it is a cache
   * @throws CacheRefusedException saying what is wrong with it
   */
  static CacheHeader decode(ByteBuffer file) throws CacheRefusedException {
    ByteBuffer head = file.duplicate().order(ByteOrder.LITTLE_ENDIAN);
    try {
      if (head.getLong() != MAGIC) {
        throw new CacheRefusedException("it is not a cache of Criteo rows");
      }
      int version = head.getInt();
      if (version != VERSION) {
        throw new CacheRefusedException(
            "it has version " + version + ", this program reads version " + VERSION);
      }
      int bytes = head.getInt();
      if (bytes < ALIGNMENT || bytes % ALIGNMENT != 0 || bytes > file.limit()) {
        throw new CacheRefusedException("its header is damaged or truncated");
      }
      byte[] all = new byte[bytes - 4];
      head.get(0, all);
      if (crc(all, all.length) != head.getInt(bytes - 4)) {
        throw new CacheRefusedException("its header is damaged: the checksum differs");
      }
      long rows = head.getLong();
      long badLines = head.getLong();
      int checksumsCrc = head.getInt();
      byte[] name = new byte[head.getInt()];
      head.get(name);
      return new CacheHeader(
          bytes, rows, badLines, checksumsCrc, new String(name, StandardCharsets.UTF_8));
    } catch (BufferUnderflowException e) {
      throw new CacheRefusedException("it is truncated: it has only " + file.limit() + " bytes", e);
    }
  }

  private static int crc(byte[] bytes, int length) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, 0, length);
    return (int) crc.getValue();
  }
}
