package io.holdfast.benchmarks;

import io.holdfast.launcher.cli.CommonOptions;
import io.holdfast.launcher.cli.ExitCode;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code holdfast bench}. */
@Command(
    name = "bench",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "NAME",
    description = "Measure a part on this machine, beside what bounds it in the same run.",
    subcommands = {
      BenchCommand.ListCommand.class,
      CodecBench.class,
      LoaderBench.class,
      PsBench.class,
      StepBench.class,
      TrainBench.class
    })
final class BenchCommand implements Runnable {
  @Spec private CommandSpec command;

  @Override
  public void run() {
    throw new ParameterException(
        command.commandLine(), "which benchmark? 'holdfast bench list' names them");
  }

  /** {@code holdfast bench list}. */
  @Command(
      name = "list",
      mixinStandardHelpOptions = true,
      description = "Name all benchmarks and what they measure.")
  static final class ListCommand implements Callable<Integer> {
    @Mixin private CommonOptions common;
    @Spec private CommandSpec command;

    @Override
    public Integer call() {
      for (CommandLine bench : command.parent().subcommands().values()) {
        if (bench.getCommand() instanceof Bench) {
          CommandSpec spec = bench.getCommandSpec();
          common
              .out()
              .printf(
                  "%-8s %s%n", spec.name(), String.join(" ", spec.usageMessage().description()));
        }
      }
      common.out().flush();
      return ExitCode.DONE;
    }
  }
}
