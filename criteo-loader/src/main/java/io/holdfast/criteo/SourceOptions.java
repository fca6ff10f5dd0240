package io.holdfast.criteo;

/**
 * How a source is opened.
 *
 * @param progress hears how far the scan of compressed files is (in stored bytes)
 */
public record SourceOptions(Progress progress) {
  /** Without progress. */
  public static SourceOptions defaults() {
    return new SourceOptions(Progress.NONE);
  }
}
