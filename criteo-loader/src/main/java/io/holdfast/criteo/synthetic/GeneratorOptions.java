package io.holdfast.criteo.synthetic;

import io.holdfast.criteo.Progress;
import java.nio.file.Path;

/**
 * What to generate.
 *
 * @param rows number of rows, at least 1
 * @param seed which rows
 * @param modelSeed which planted model
 * @param out the file; its suffix says how it is stored: {@code .gz}, {@code .zst}, else plain
 * @param threads number of threads, at least 1; the file does not depend on it
 * @param progress hears of rows written
 */
public record GeneratorOptions(
    long rows, long seed, long modelSeed, Path out, int threads, Progress progress) {
  public GeneratorOptions {
    if (rows < 1) {
      throw new IllegalArgumentException(rows + " rows to generate, must be at least 1");
    }
    if (threads < 1) {
      throw new IllegalArgumentException(threads + " threads, must be at least 1");
    }
  }

  /** With the default planted model, one thread for each core, without progress. */
  public static GeneratorOptions of(long rows, long seed, Path out) {
    int threads = Runtime.getRuntime().availableProcessors();
    return new GeneratorOptions(
        rows, seed, SyntheticCriteo.DEFAULT_MODEL_SEED, out, threads, Progress.NONE);
  }
}
