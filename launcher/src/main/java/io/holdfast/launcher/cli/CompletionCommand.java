package io.holdfast.launcher.cli;

import java.util.concurrent.Callable;
import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code holdfast completion}. */
@Command(
    name = "completion",
    mixinStandardHelpOptions = true,
    description = {
      "Print a completion script for bash and zsh.",
      "For the current shell: source <(scripts/holdfast completion)"
    })
public final class CompletionCommand implements Callable<Integer> {
  @Mixin private CommonOptions common;

  @Override
  public Integer call() {
    common.out().print(AutoComplete.bash("holdfast", common.command.root().commandLine()));
    common.out().flush();
    return ExitCode.DONE;
  }
}
