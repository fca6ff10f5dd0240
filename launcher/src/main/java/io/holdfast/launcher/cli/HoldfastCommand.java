package io.holdfast.launcher.cli;

import io.holdfast.launcher.BuildInfo;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** {@code holdfast}: names its commands. */
@Command(
    name = "holdfast",
    mixinStandardHelpOptions = true,
    scope = ScopeType.INHERIT,
    versionProvider = HoldfastCommand.Version.class,
    synopsisSubcommandLabel = "COMMAND",
    description = "Trains recommendation models on parameter servers.",
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:done",
      "1:failed",
      "2:bad usage or setting",
      "3:bad data",
      "4:more was lost than the job can bear",
      "5:verify found what is wrong, and it is not repaired"
    })
public final class HoldfastCommand implements Runnable {
  @Spec private CommandSpec command;

  @Override
  public void run() {
    throw new ParameterException(command.commandLine(), "which command?");
  }

  /** {@code holdfast 0.1.0 (commit)}. */
  static final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
      String commit = BuildInfo.commit().map(c -> " (" + c + ")").orElse("");
      return new String[] {"holdfast " + BuildInfo.version() + commit, "Java " + Runtime.version()};
    }
  }
}
