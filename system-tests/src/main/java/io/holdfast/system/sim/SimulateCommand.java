package io.holdfast.system.sim;

import ch.qos.logback.classic.Level;
import io.holdfast.launcher.cli.CommonOptions;
import io.holdfast.launcher.cli.ExitCode;
import io.holdfast.launcher.progress.Progress;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code holdfast simulate}. */
@Command(
    name = "simulate",
    mixinStandardHelpOptions = true,
    description = {
      "Run whole clusters in virtual time under random faults, and check them byte for byte.",
      "Each seed is one run. Exit code 1 if one fails; --seed replays it and tells what happened."
    })
public final class SimulateCommand implements Callable<Integer> {
  @Mixin private CommonOptions common;

  @Option(
      names = "--seeds",
      paramLabel = "N",
      defaultValue = "2000",
      description = "How many runs (default: ${DEFAULT-VALUE}).")
  private long seeds;

  @Option(
      names = "--from",
      paramLabel = "S",
      defaultValue = "1",
      description = "The first seed (default: ${DEFAULT-VALUE}).")
  private long from;

  @Option(
      names = "--threads",
      paramLabel = "T",
      description = "Runs at a time; two, or one on a single core, if not given.")
  private Integer threads;

  @Option(
      names = "--max-failures",
      paramLabel = "N",
      defaultValue = "10",
      description = "Stop after so many failures (default: ${DEFAULT-VALUE}).")
  private int maxFailures;

  @Option(names = "--seed", paramLabel = "X", description = "Replay this run and print its trace.")
  private Long seed;

  @Option(
      names = "--trace",
      paramLabel = "LINES",
      defaultValue = "500",
      description = "Longest trace; the last lines are kept (default: ${DEFAULT-VALUE}).")
  private int lines;

  @Override
  public Integer call() {
    if (seeds < 1) {
      throw common.badUsage("--seeds " + seeds + ": must be at least 1");
    }
    if (threads != null && threads < 1) {
      throw common.badUsage("--threads " + threads + ": must be at least 1");
    }
    if (maxFailures < 1) {
      throw common.badUsage("--max-failures " + maxFailures + ": must be at least 1");
    }
    if (lines < 1) {
      throw common.badUsage("--trace " + lines + ": must be at least 1");
    }
    if (!common.isVerbose()) {
      beQuiet();
    }
    return seed == null ? runMany() : replay(seed);
  }

  /** Refusals and losses are what the runs are about. */
  static void beQuiet() {
    if (LoggerFactory.getLogger("io.holdfast") instanceof ch.qos.logback.classic.Logger logger) {
      logger.setLevel(Level.OFF);
    }
  }

  private int runMany() {
    PrintWriter out = common.out();
    int some = threads == null ? Math.min(2, Runtime.getRuntime().availableProcessors()) : threads;
    Campaign campaign;
    try (Progress progress = common.progress()) {
      long[] done = {0};
      campaign =
          Campaign.run(
              from,
              seeds,
              some,
              maxFailures,
              result -> {
                result.failure().ifPresent(failure -> tell(out, result, failure));
                progress.at("simulating", ++done[0], seeds, "runs");
              });
    }
    out.println(campaign.summary());
    out.flush();
    return campaign.failures() == 0 ? ExitCode.DONE : ExitCode.FAILED;
  }

  private static void tell(PrintWriter out, Simulation.Result result, BrokenInvariant failure) {
    out.println("seed " + result.seed() + " failed: " + failure.getMessage());
    out.println("  " + result.scenario());
    out.println("  replay: scripts/holdfast simulate --seed " + result.seed());
    out.flush();
  }

  private int replay(long which) {
    PrintWriter out = common.out();
    Simulation.Replay replay = Simulation.replay(which, lines);
    Simulation.Result result = replay.result();
    out.println("seed " + which + ": " + result.scenario());
    if (replay.earlier() > 0) {
      out.println("... " + replay.earlier() + " earlier lines; --trace LINES shows more");
    }
    replay.trace().forEach(out::println);
    result.failure().ifPresent(failure -> failure.printStackTrace(out));
    out.println(
        "seed "
            + which
            + (result.failure().isEmpty() ? " passed; " : " failed; ")
            + result.transactions()
            + " transactions; faults: "
            + result.faults());
    out.flush();
    return result.failure().isEmpty() ? ExitCode.DONE : ExitCode.FAILED;
  }
}
