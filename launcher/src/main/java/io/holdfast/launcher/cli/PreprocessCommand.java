package io.holdfast.launcher.cli;

import io.holdfast.config.settings.InputSettings;
import io.holdfast.config.settings.Settings;
import io.holdfast.criteo.BadLinePolicy;
import io.holdfast.criteo.BatchCache;
import io.holdfast.criteo.CriteoSource;
import io.holdfast.criteo.SourceOptions;
import io.holdfast.launcher.progress.Progress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code holdfast preprocess}. */
@Command(
    name = "preprocess",
    mixinStandardHelpOptions = true,
    description = "Parse data once into a cache that train --cache reads in its place.")
public final class PreprocessCommand implements Callable<Integer> {
  @Mixin private CommonOptions common;
  @Mixin private SettingOptions settingOptions;

  @Option(
      names = "--data",
      paramLabel = "PATH",
      required = true,
      description = "File or glob to parse. Repeatable.")
  List<String> data;

  @Option(names = "--out", paramLabel = "FILE", required = true, description = "The cache.")
  private Path out;

  @Option(
      names = "--bad-lines",
      paramLabel = "POLICY",
      description = "What malformed lines do: fail, or skip (counted, with a limit).")
  String badLines;

  @Override
  public Integer call() throws Exception {
    Settings settings = settingOptions.load();
    common.requireWritable("--out", out);
    InputSettings input = settings.launch().input();
    BadLinePolicy policy =
        input.badLineLimit() == 0 ? BadLinePolicy.fail() : BadLinePolicy.skip(input.badLineLimit());
    try (CriteoSource source = write(input.paths(), policy, settings.launch().progressNanos())) {
      common
          .out()
          .printf(
              Locale.ROOT,
              "parsed      %,d bytes of %d files into %,d bytes: %s%n",
              source.length(),
              source.inputs().size(),
              Files.size(out),
              out);
      if (source.badLines() > 0) {
        common.out().printf(Locale.ROOT, "left out    %,d malformed lines%n", source.badLines());
      }
    }
    common.out().flush();
    return ExitCode.DONE;
  }

  /** Writes the cache; the source is the caller's to close. */
  private CriteoSource write(List<String> paths, BadLinePolicy policy, long progressNanos) {
    try (Progress progress = common.progress(progressNanos)) {
      CriteoSource source =
          CriteoSource.open(
              paths,
              new SourceOptions((what, done, total) -> progress.at(what, done, total, "bytes")));
      try {
        BatchCache.write(
            out.toAbsolutePath(),
            source,
            policy,
            (what, done, total) -> progress.at(what, done, total, source.unit()));
      } catch (RuntimeException e) {
        source.close();
        throw e;
      }
      return source;
    }
  }
}
