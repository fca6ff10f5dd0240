package io.holdfast.launcher.cli;

import io.holdfast.criteo.InputFile;
import io.holdfast.launcher.job.PredictionJob;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code holdfast predict}. */
@Command(
    name = "predict",
    mixinStandardHelpOptions = true,
    description = "Print the click probability of each line, from a file or standard input.")
public final class PredictCommand implements Callable<Integer> {
  private final PredictionJob job;

  @Mixin private CommonOptions common;
  @Mixin private ModelOption model;

  @Option(
      names = "--data",
      paramLabel = "FILE",
      description = "Criteo lines; standard input if not given.")
  private Path data;

  public PredictCommand(PredictionJob job) {
    this.job = job;
  }

  private static InputStream open(Path file) throws IOException {
    return InputFile.of(file).compression().decompress(Files.newInputStream(file));
  }

  @Override
  public Integer call() throws Exception {
    Path directory = model.require(common);
    if (data != null && !Files.isRegularFile(data)) {
      throw common.badUsage("--data " + data + ": there is no such file");
    }
    try (InputStream lines = data == null ? System.in : open(data)) {
      String name = data == null ? "standard input" : data.toString();
      job.run(directory, lines, name, model.threads(), common.out());
    }
    common.out().flush();
    return ExitCode.DONE;
  }
}
