package io.holdfast.config.preflight;

import java.util.Locale;

/** Sizes for people. */
final class Bytes {
  private Bytes() {}

  static String of(long bytes) {
    if (bytes < 10_000) {
      return bytes + " B";
    }
    if (bytes < 10_000_000) {
      return bytes / 1_000 + " kB";
    }
    if (bytes < 10_000_000_000L) {
      return bytes / 1_000_000 + " MB";
    }
    return String.format(Locale.ROOT, "%.1f GB", bytes / 1e9);
  }
}
