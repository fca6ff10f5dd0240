package io.holdfast.benchmarks;

import io.holdfast.criteo.BadLinePolicy;
import io.holdfast.criteo.BatchCache;
import io.holdfast.criteo.CacheRefusedException;
import io.holdfast.criteo.CriteoBatch;
import io.holdfast.criteo.CriteoFormat;
import io.holdfast.criteo.CriteoSource;
import io.holdfast.criteo.IdMapping;
import io.holdfast.criteo.Progress;
import io.holdfast.criteo.SampleReader;
import io.holdfast.criteo.SampleSource;
import io.holdfast.criteo.SourceOptions;
import io.holdfast.criteo.Split;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code holdfast bench loader}. */
@Command(
    name = "loader",
    mixinStandardHelpOptions = true,
    description =
        "Reading Criteo lines into batches on one thread: lines/s parsed, plain and compressed, and"
            + " batches/s from the cache.")
final class LoaderBench extends Bench {
  @Option(
      names = "--rows",
      paramLabel = "N",
      defaultValue = "200000",
      description = "Generated lines (default: ${DEFAULT-VALUE}).")
  private long rows;

  @Option(
      names = "--batch",
      paramLabel = "B",
      defaultValue = "2048",
      description = "Lines of a batch (default: ${DEFAULT-VALUE}).")
  private int batch;

  @Override
  void measure(Recorder recorder) throws IOException, CacheRefusedException {
    if (rows < 1 || batch < 1) {
      throw common.badUsage("--rows " + rows + ", --batch " + batch + ": must be at least 1");
    }
    try (Workspace space = new Workspace()) {
      for (String ending : List.of("", ".gz", ".zst")) {
        Path file = space.generate(rows, "data.tsv" + ending);
        try (CriteoSource source =
            CriteoSource.open(List.of(file.toString()), SourceOptions.defaults())) {
          String kind = ending.isEmpty() ? "plain" : ending.substring(1);
          for (IdMapping.Kind mapping : IdMapping.Kind.values()) {
            Map<String, Object> about =
                Recorder.parameters("input", kind, "ids", mapping.name().toLowerCase(Locale.ROOT));
            recorder.add("lines", about, "lines/s", passes(source, mapping));
          }
          if (ending.isEmpty()) {
            cached(recorder, source, space.file("rows.cache"));
          }
        }
      }
    }
  }

  private void cached(Recorder recorder, CriteoSource source, Path cache)
      throws IOException, CacheRefusedException {
    BatchCache.write(cache, source, BadLinePolicy.fail(), Progress.NONE);
    try (BatchCache cached =
        BatchCache.open(
            cache, source.inputs(), BadLinePolicy.fail(), BatchCache.Check.HEADER, Progress.NONE)) {
      Spread lines = passes(cached, IdMapping.Kind.MODULO);
      Map<String, Object> about = Recorder.parameters("input", "cache", "batch", batch);
      recorder.add("lines", about, "lines/s", lines);
      recorder.add(
          "batches",
          about,
          "batches/s",
          new Spread(
              lines.median() / batch, lines.least() / batch, lines.most() / batch, lines.rounds()));
    }
  }

  /** Lines per second of whole passes, after one to warm up. */
  private Spread passes(SampleSource source, IdMapping.Kind kind) {
    long[] tables = new long[CriteoFormat.CATEGORIES];
    Arrays.fill(tables, 100_000);
    IdMapping mapping = new IdMapping(kind, tables);
    CriteoBatch target = new CriteoBatch(batch);
    List<Double> rates = new ArrayList<>();
    for (int round = -1; round < rounds; round++) {
      long started = System.nanoTime();
      long lines = 0;
      for (Split split : source.splits(0, source.length(), Long.MAX_VALUE)) {
        try (SampleReader reader = source.reader(split, mapping, BadLinePolicy.fail())) {
          for (int count = reader.read(target); count > 0; count = reader.read(target)) {
            lines += count;
          }
        }
      }
      if (lines != rows) {
        throw new IllegalStateException(lines + " lines were read of " + rows);
      }
      if (round >= 0) {
        rates.add(lines / ((System.nanoTime() - started) / 1e9));
      }
    }
    return Spread.of(rates);
  }
}
