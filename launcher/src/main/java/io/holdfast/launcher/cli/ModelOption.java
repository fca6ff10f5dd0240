package io.holdfast.launcher.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** A saved model, and with how many threads it is used. */
final class ModelOption {
  @Option(
      names = "--model",
      paramLabel = "DIR",
      required = true,
      description = "Directory that train --save wrote.")
  private Path directory;

  @Option(names = "--threads", paramLabel = "T", description = "Threads; all cores if not given.")
  private int threads;

  int threads() {
    return threads > 0 ? threads : Runtime.getRuntime().availableProcessors();
  }

  Path require(CommonOptions common) {
    if (!Files.isDirectory(directory)) {
      throw common.badUsage("--model " + directory + ": there is no such directory");
    }
    return directory.toAbsolutePath();
  }
}
