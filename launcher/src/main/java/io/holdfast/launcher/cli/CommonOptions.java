package io.holdfast.launcher.cli;

import ch.qos.logback.classic.Level;
import io.holdfast.launcher.progress.ConsoleProgress;
import io.holdfast.launcher.progress.Progress;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Options of every command: a mixin. */
public final class CommonOptions {
  private static final long PLAIN_INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(5);

  @Spec(Spec.Target.MIXEE)
  CommandSpec command;

  @Option(
      names = {"-v", "--verbose"},
      description = "Log what goes on, and show the traces of errors.")
  void verbose(boolean verbose) {
    this.verbose = verbose;
    if (verbose
        && LoggerFactory.getLogger("io.holdfast") instanceof ch.qos.logback.classic.Logger logger) {
      logger.setLevel(Level.DEBUG);
    }
    if (verbose
        && LoggerFactory.getLogger(Logger.ROOT_LOGGER_NAME)
            instanceof ch.qos.logback.classic.Logger root) {
      root.setLevel(Level.INFO);
    }
  }

  private boolean verbose;

  /** Whether all that goes on is to be logged. */
  public boolean isVerbose() {
    return verbose;
  }

  /** Gets results. */
  public PrintWriter out() {
    return command.commandLine().getOut();
  }

  /** All arguments of this run, the command first. */
  List<String> arguments() {
    return command.root().commandLine().getParseResult().originalArgs();
  }

  /** Shows progress on standard error. */
  public Progress progress() {
    return progress(PLAIN_INTERVAL_NANOS);
  }

  Progress progress(long plainIntervalNanos) {
    PrintWriter err = command.commandLine().getErr();
    return Terminal.isPresent()
        ? ConsoleProgress.onTerminal(err)
        : ConsoleProgress.plain(err, plainIntervalNanos);
  }

  /** To be thrown when an option or argument cannot be understood. */
  public ParameterException badUsage(String sentence) {
    return new ParameterException(command.commandLine(), sentence);
  }

  /** Fails early if a file cannot be written later. */
  void requireWritable(String option, Path file) {
    if (file == null) {
      return;
    }
    Path parent = file.toAbsolutePath().getParent();
    if (parent == null || Files.isDirectory(file)) {
      throw badUsage(option + " " + file + ": is a directory, must be a file");
    }
    if (!Files.isDirectory(parent)) {
      throw badUsage(option + " " + file + ": there is no directory " + parent);
    }
    if (!Files.isWritable(Files.exists(file) ? file : parent)) {
      throw badUsage(option + " " + file + ": cannot be written");
    }
  }

  /** Makes sure that a directory is there and empty. */
  void requireEmptyDirectory(String option, Path directory) throws IOException {
    if (directory == null || !Files.exists(directory)) {
      return;
    }
    if (!Files.isDirectory(directory)) {
      throw badUsage(option + " " + directory + ": is a file, must be a directory");
    }
    try (var entries = Files.list(directory)) {
      if (entries.findAny().isPresent()) {
        throw badUsage(option + " " + directory + ": is not empty; name a new directory");
      }
    }
  }
}
