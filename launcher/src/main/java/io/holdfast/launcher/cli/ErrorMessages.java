package io.holdfast.launcher.cli;

import io.holdfast.config.settings.SettingsException;
import java.io.PrintWriter;
import java.util.Arrays;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/** What a user sees when something is wrong: what, where, and what would be right. */
public final class ErrorMessages {
  private ErrorMessages() {}

  /** A command line that cannot be understood. */
  public static int onBadUsage(ParameterException e, String[] arguments) {
    CommandLine command = e.getCommandLine();
    PrintWriter err = command.getErr();
    err.println("holdfast: " + e.getMessage());
    UnmatchedArgumentException.printSuggestions(e, err);
    err.println("Try '" + command.getCommandSpec().qualifiedName() + " --help'.");
    err.flush();
    return ExitCode.BAD_USAGE;
  }

  /** A command that failed. */
  public static int onFailure(Exception e, CommandLine command, ParseResult parsed) {
    if (e instanceof ParameterException badUsage) {
      return onBadUsage(badUsage, new String[0]);
    }
    Throwable cause = ExitCode.cause(e);
    PrintWriter err = command.getErr();
    for (String line : lines(cause)) {
      err.println("holdfast: " + line);
    }
    boolean verbose =
        parsed.originalArgs().stream().anyMatch(a -> a.equals("-v") || a.equals("--verbose"));
    if (verbose || !ExitCode.isExpected(cause)) {
      e.printStackTrace(err);
    }
    err.flush();
    return ExitCode.of(cause);
  }

  private static List<String> lines(Throwable cause) {
    if (cause instanceof SettingsException settings) {
      return settings.problems();
    }
    String message = cause.getMessage();
    return message == null || !ExitCode.isExpected(cause)
        ? List.of(cause.toString())
        : Arrays.asList(message.split("\\R"));
  }
}
