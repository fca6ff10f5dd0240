package io.holdfast.criteo;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** By hand: {@code ReadingSpeed FILE [SECONDS]}: lines per second of one thread, raw and cached. */
final class ReadingSpeed {
  private ReadingSpeed() {}

  public static void main(String[] arguments) throws Exception {
    double seconds = arguments.length > 1 ? Double.parseDouble(arguments[1]) : 3;
    Path cache = Files.createTempFile("rows", ".cache");
    long[] tables = new long[26];
    Arrays.fill(tables, 100_000);
    try (CriteoSource source = CriteoSource.open(List.of(arguments[0]), SourceOptions.defaults())) {
      for (IdMapping.Kind kind : IdMapping.Kind.values()) {
        measure("lines, " + kind, source, new IdMapping(kind, tables), seconds);
      }
      long started = System.nanoTime();
      BatchCache.write(cache, source, BadLinePolicy.fail(), Progress.NONE);
      System.out.printf("cache written in %.2f s%n", (System.nanoTime() - started) / 1e9);
      started = System.nanoTime();
      try (BatchCache cached =
          BatchCache.open(
              cache, source.inputs(), BadLinePolicy.fail(), BatchCache.Check.FULL, Progress.NONE)) {
        System.out.printf(
            "cache of %d rows checked in %.2f s%n",
            cached.length(), (System.nanoTime() - started) / 1e9);
        IdMapping mapping = new IdMapping(IdMapping.Kind.MODULO, tables);
        measure("cached rows, MODULO", cached, mapping, seconds);
      }
    } finally {
      Files.delete(cache);
    }
  }

  /** Prints the best whole pass: others may use the machine. */
  private static void measure(String what, SampleSource source, IdMapping mapping, double seconds) {
    CriteoBatch batch = new CriteoBatch(2048);
    double best = 0;
    for (long end = System.nanoTime() + (long) (seconds * 1e9); System.nanoTime() < end; ) {
      long started = System.nanoTime();
      long lines = 0;
      for (Split split : source.splits(0, source.length(), Long.MAX_VALUE)) {
        try (SampleReader reader = source.reader(split, mapping, BadLinePolicy.fail())) {
          for (int count = reader.read(batch); count > 0; count = reader.read(batch)) {
            lines += count;
          }
        }
      }
      best = Math.max(best, lines / ((System.nanoTime() - started) / 1e9));
    }
    System.out.printf("%s: %.2f M/s%n", what, best / 1e6);
  }
}
