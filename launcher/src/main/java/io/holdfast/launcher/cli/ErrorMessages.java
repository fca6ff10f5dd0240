package io.holdfast.launcher.cli;

import io.holdfast.config.settings.SettingsException;
import io.holdfast.config.settings.Suggestions;
import java.io.PrintWriter;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import picocli.CommandLine;
import picocli.CommandLine.MissingParameterException;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/** What a user sees when something is wrong: what, where, and what would be right. */
public final class ErrorMessages {
  private ErrorMessages() {}

  /** A command line that cannot be understood. */
  public static int onBadUsage(ParameterException thrown, String[] arguments) {
    ParameterException e = unknownOptionFirst(thrown, arguments);
    CommandLine command = e.getCommandLine();
    PrintWriter err = command.getErr();
    err.println("holdfast: " + e.getMessage() + suggestion(e));
    err.println("Try '" + command.getCommandSpec().qualifiedName() + " --help'.");
    err.flush();
    return ExitCode.BAD_USAGE;
  }

  private static String suggestion(ParameterException e) {
    if (!(e instanceof UnmatchedArgumentException unmatched)
        || unmatched.getUnmatched().isEmpty()) {
      return "";
    }
    String word = unmatched.getUnmatched().getFirst().replaceFirst("=.*", "");
    CommandLine command = e.getCommandLine();
    return Suggestions.didYouMean(
        word,
        word.startsWith("-")
            ? command.getCommandSpec().optionsMap().keySet()
            : command.getSubcommands().keySet());
  }

  /** A misspelt option is often the reason why one is missing, so it is what to tell of. */
  private static ParameterException unknownOptionFirst(
      ParameterException thrown, String[] arguments) {
    if (!(thrown instanceof MissingParameterException)) {
      return thrown;
    }
    CommandLine command = thrown.getCommandLine();
    Set<String> known = command.getCommandSpec().optionsMap().keySet();
    return Arrays.stream(arguments)
        .filter(argument -> argument.startsWith("--"))
        .map(argument -> argument.replaceFirst("=.*", ""))
        .filter(
            name ->
                !known.contains(name)
                    && !command.getCommandSpec().negatedOptionsMap().containsKey(name))
        .findFirst()
        .<ParameterException>map(name -> new UnmatchedArgumentException(command, List.of(name)))
        .orElse(thrown);
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
