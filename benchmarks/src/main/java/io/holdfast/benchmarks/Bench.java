package io.holdfast.benchmarks;

import io.holdfast.launcher.cli.CommonOptions;
import io.holdfast.launcher.cli.ExitCode;
import io.holdfast.launcher.report.Machine;
import io.holdfast.launcher.report.Provenance;
import io.holdfast.launcher.report.ReportFile;
import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** What all benchmarks have in common: tells where it runs, measures, shows and writes. */
abstract class Bench implements Callable<Integer> {
  @Spec private CommandSpec command;
  @Mixin CommonOptions common;

  @Option(
      names = "--json",
      paramLabel = "FILE",
      description = "Write machine, flags, medians and spread.")
  private Path json;

  @Option(
      names = "--rounds",
      paramLabel = "N",
      defaultValue = "5",
      description = "Measured rounds, from 1 (default: ${DEFAULT-VALUE}).")
  int rounds;

  /** Measures. */
  abstract void measure(Recorder recorder) throws Exception;

  @Override
  public final Integer call() throws Exception {
    if (rounds < 1) {
      throw common.badUsage("--rounds " + rounds + ": must be at least 1");
    }
    if (json != null && !java.nio.file.Files.isDirectory(json.toAbsolutePath().getParent())) {
      throw common.badUsage(
          "--json " + json + ": there is no directory " + json.toAbsolutePath().getParent());
    }
    List<String> arguments = command.root().commandLine().getParseResult().originalArgs();
    Provenance provenance = Provenance.of(arguments, Map.of());
    List<String> flags = ManagementFactory.getRuntimeMXBean().getInputArguments();
    String vm = System.getProperty("java.vm.name") + " " + System.getProperty("java.vm.version");
    PrintWriter out = common.out();
    print(out, provenance.machine(), vm, flags);
    Recorder recorder = new Recorder(out);
    measure(recorder);
    if (json != null) {
      ReportFile.write(
          json, new BenchReport(command.name(), vm, flags, recorder.measurements(), provenance));
      out.println("report written to " + json);
    }
    out.flush();
    return ExitCode.DONE;
  }

  private static void print(PrintWriter out, Machine machine, String vm, List<String> flags) {
    out.printf(
        Locale.ROOT,
        "%s, %d cores, %.0f GiB, %s%n%s%n%s%n%n",
        machine.cpu(),
        machine.cores(),
        machine.memoryBytes() / (double) (1L << 30),
        machine.os(),
        vm,
        String.join(" ", flags));
    out.flush();
  }

  /**
   * Refuses what is none of the values that can be asked for.
   *
   * @param option as the user writes it
   */
  final void requireOneOf(String option, List<String> asked, List<String> known) {
    for (String value : asked) {
      if (!known.contains(value)) {
        throw common.badUsage(
            option + " " + value + ": must be one of " + String.join(", ", known));
      }
    }
  }
}
