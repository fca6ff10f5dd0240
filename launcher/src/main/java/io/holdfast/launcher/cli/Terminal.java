package io.holdfast.launcher.cli;

/** Whether someone watches standard error on a terminal that may be redrawn. */
final class Terminal {
  private Terminal() {}

  /** {@code scripts/holdfast} knows whether standard error is a terminal and says so. */
  static boolean isPresent() {
    return Boolean.getBoolean("holdfast.terminal")
        && System.getenv("NO_COLOR") == null
        && !"dumb".equals(System.getenv("TERM"));
  }
}
