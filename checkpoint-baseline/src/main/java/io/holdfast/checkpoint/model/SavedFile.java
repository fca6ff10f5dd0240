package io.holdfast.checkpoint.model;

import java.util.Locale;
import java.util.Objects;

/**
 * One file of a saved model, as its manifest knows it.
 *
 * @param name within the directory
 * @param bytes its length
 * @param crc32c CRC-32C (Castagnoli) of the whole file, eight lower-case hexadecimal digits
 */
public record SavedFile(String name, long bytes, String crc32c) {
  public SavedFile {
    Objects.requireNonNull(name, "name");
    if (!crc32c.matches("[0-9a-f]{8}")) {
      throw new IllegalArgumentException(
          name + " has the checksum '" + crc32c + "', must be eight lower-case hexadecimal digits");
    }
  }

  static String hex(long crc32c) {
    return String.format(Locale.ROOT, "%08x", crc32c);
  }
}
