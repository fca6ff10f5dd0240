package io.holdfast.launcher;

import io.holdfast.launcher.cli.CheckCommand;
import io.holdfast.launcher.cli.CompletionCommand;
import io.holdfast.launcher.cli.ErrorMessages;
import io.holdfast.launcher.cli.GenerateCommand;
import io.holdfast.launcher.cli.HoldfastCommand;
import io.holdfast.launcher.cli.PreprocessCommand;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import picocli.CommandLine;

/** The {@code holdfast} command. */
public final class Main {
  private final CommandLine root = new CommandLine(new HoldfastCommand());

  /**
   * The command with its subcommands.
   *
   * @param commands objects annotated for picocli, in the order in which help shows them
   */
  public Main(Object... commands) {
    for (Object command : commands) {
      root.addSubcommand(command);
    }
    root.setParameterExceptionHandler(ErrorMessages::onBadUsage);
    root.setExecutionExceptionHandler(ErrorMessages::onFailure);
    root.setUsageHelpAutoWidth(true);
  }

  /** Runs with the standard streams. */
  public int run(String... arguments) {
    return run(
        new PrintWriter(System.out, false, StandardCharsets.UTF_8),
        new PrintWriter(System.err, true, StandardCharsets.UTF_8),
        arguments);
  }

  /**
   * Runs one command.
   *
   * @param out gets results
   * @param err gets progress and errors
   * @return the exit code: see {@link io.holdfast.launcher.cli.ExitCode}
   */
  public int run(PrintWriter out, PrintWriter err, String... arguments) {
    int code = root.setOut(out).setErr(err).execute(arguments);
    out.flush();
    err.flush();
    return code;
  }

  public static void main(String[] arguments) {
    Main main =
        new Main(
            new GenerateCommand(),
            new PreprocessCommand(),
            new CheckCommand(List.of()),
            new CompletionCommand());
    System.exit(main.run(arguments));
  }
}
