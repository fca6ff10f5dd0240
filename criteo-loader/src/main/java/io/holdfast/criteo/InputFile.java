package io.holdfast.criteo;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A data file as found on disk.
 *
 * @param path where it lies
 * @param compression how it is stored
 * @param storedBytes its size on disk
 * @param modifiedMillis when it was last modified, milliseconds since 1970
 */
public record InputFile(Path path, Compression compression, long storedBytes, long modifiedMillis) {
  /**
   * Looks at a file.
   *
   * @throws CriteoDataException if there is none, it is no regular file, or it holds nothing
   */
  public static InputFile of(Path path) {
    try {
      if (!Files.exists(path)) {
        throw new CriteoDataException(path + ": there is no such file");
      }
      if (!Files.isRegularFile(path)) {
        throw new CriteoDataException(
            path + ": is not a regular file; name files, or a glob such as " + path + "/*");
      }
      long size = Files.size(path);
      if (size == 0) {
        throw holdsNoLine(path);
      }
      long modified = Files.getLastModifiedTime(path).toMillis();
      return new InputFile(path, Compression.ofContent(path), size, modified);
    } catch (IOException e) {
      throw new CriteoDataException(path + ": cannot be read: " + e, e);
    }
  }

  static CriteoDataException holdsNoLine(Path path) {
    return new CriteoDataException(path + ": holds no line");
  }

  /** Damage that a read met, with the file's name and what the damage means. */
  CriteoDataException damaged(IOException cause) {
    String reason = cause.getMessage();
    if (compression == Compression.ZSTD && reason != null && reason.contains("runcated")) {
      reason = "zstd data is truncated (" + reason + ")";
    }
    return new CriteoDataException(
        path + ": cannot be read: " + (reason == null ? cause.toString() : reason), cause);
  }
}
