package io.holdfast.criteo;

import com.github.luben.zstd.ZstdInputStreamNoFinalizer;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/** How a file is stored. */
public enum Compression {
  PLAIN(""),
  GZIP(".gz"),
  ZSTD(".zst");

  private final String suffix;

  Compression(String suffix) {
    this.suffix = suffix;
  }

  /** By the suffix of a name: {@code .gz}, {@code .zst}, else plain. */
  public static Compression ofName(String name) {
    return name.endsWith(GZIP.suffix) ? GZIP : name.endsWith(ZSTD.suffix) ? ZSTD : PLAIN;
  }

  /**
   * By a file's first bytes, whatever its name.
   *
   * @throws CriteoDataException if the name promises a compressed file and the bytes are none
   */
  static Compression ofContent(Path file) throws IOException {
    byte[] magic;
    try (InputStream in = Files.newInputStream(file)) {
      magic = in.readNBytes(4);
    }
    if (magic.length >= 2 && magic[0] == 0x1f && magic[1] == (byte) 0x8b) {
      return GZIP;
    }
    if (magic.length == 4 && isZstd(magic)) {
      return ZSTD;
    }
    Compression named = ofName(file.getFileName().toString());
    if (named != PLAIN && magic.length > 0) {
      throw new CriteoDataException(
          file + ": is named " + named.suffix + " but does not begin like such a file");
    }
    return PLAIN;
  }

  /** A frame, or a skippable frame (RFC 8878, sections 3.1.1 and 3.1.2). */
  private static boolean isZstd(byte[] magic) {
    boolean frame = magic[0] == 0x28 && magic[1] == (byte) 0xb5;
    boolean skippable = (magic[0] & 0xf0) == 0x50 && magic[1] == 0x2a;
    return (frame && magic[2] == 0x2f && magic[3] == (byte) 0xfd)
        || (skippable && magic[2] == 0x4d && magic[3] == 0x18);
  }

  /** The uncompressed bytes of a stream of stored ones. */
  public InputStream decompress(InputStream stored) throws IOException {
    return switch (this) {
      case PLAIN -> stored;
      case GZIP -> new GzipStream(stored);
      case ZSTD -> new ZstdInputStreamNoFinalizer(stored);
    };
  }
}
