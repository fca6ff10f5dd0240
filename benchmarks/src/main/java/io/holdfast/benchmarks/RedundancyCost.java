package io.holdfast.benchmarks;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.management.OperatingSystemMXBean;
import io.holdfast.launcher.Main;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * What redundancy costs while nothing fails: the embedded cluster with and without it, in turns in
 * one JVM, so that all meet the same machine. Prints, after each round, a table of throughput,
 * processor time and bytes for each iteration, and ratios to no redundancy within the same round.
 *
 * <p>Arguments: preset, iterations of a run, rounds (one more is run first, for the JIT), optimizer
 * (default sgd).
 */
public final class RedundancyCost {
  private static final int BATCH = 2048;
  private static final int ROWS = 200_000;
  private static final int SERVERS = 5;

  /** What is measured, the first being what all others are compared to. */
  private static final Mode[] MODES = {
    new Mode("none, two-phase"),
    new Mode("none, one-phase", "commit.mode=one-phase"),
    ecrm("XOR k=4, no NN copies, one-phase", "k=4", "nn.replicas=0", "commit.mode=one-phase"),
    ecrm("XOR k=4, no NN copies", "k=4", "nn.replicas=0"),
    ecrm("XOR k=4, one-phase", "k=4", "commit.mode=one-phase"),
    ecrm("**XOR k=4**", "k=4"),
    ecrm("XOR k=2", "k=2"),
    ecrm("replication (k=1)", "k=1"),
    ecrm("Reed-Solomon k=3, r=2", "code=rs", "k=3", "r=2"),
    ecrm("float sum k=4", "code=sum", "k=4"),
    ecrm("XOR k=4, packed", "k=4", "delta.packing=on"),
  };

  private record Mode(String name, List<String> settings) {
    Mode(String name, String... settings) {
      this(name, List.of(settings));
    }
  }

  private static Mode ecrm(String name, String... settings) {
    List<String> all = new ArrayList<>(List.of(settings));
    all.add("redundancy=ecrm");
    return new Mode(name, all);
  }

  /** One run. */
  private record Run(double rate, double cpuMillis, double deltaBytes, double nnBytes) {}

  private RedundancyCost() {}

  public static void main(String[] arguments) throws IOException {
    if (arguments.length < 3 || arguments.length > 4) {
      throw new IllegalArgumentException("arguments: PRESET ITERATIONS ROUNDS [OPTIMIZER]");
    }
    String preset = arguments[0];
    int iterations = Integer.parseInt(arguments[1]);
    int rounds = Integer.parseInt(arguments[2]);
    String optimizer = arguments.length > 3 ? arguments[3] : "sgd";
    Path directory = Files.createTempDirectory("holdfast-bench");
    Path data = directory.resolve("data.tsv");
    Path report = directory.resolve("report.json");
    try {
      hold(List.of("generate", "--rows", "" + ROWS, "--seed", "1", "--out", data.toString()));
      Run[][] runs = new Run[MODES.length][rounds];
      for (int round = -1; round < rounds; round++) {
        for (int i = 0; i < MODES.length; i++) {
          // Every round begins elsewhere, so that nobody always runs behind the same neighbour.
          int mode = Math.floorMod(i + 3 * round, MODES.length);
          Run run = run(MODES[mode], preset, optimizer, data, report, iterations);
          System.err.printf(
              Locale.ROOT,
              "round %d: %-40s %,8.0f samples/s, %.1f ms%n",
              round,
              MODES[mode].name(),
              run.rate(),
              run.cpuMillis());
          if (round >= 0) {
            runs[mode][round] = run;
          }
        }
        if (round >= 0) {
          print(preset, optimizer, iterations, round + 1, runs);
        }
      }
    } finally {
      Files.deleteIfExists(data);
      Files.deleteIfExists(report);
      Files.deleteIfExists(directory);
    }
  }

  private static Run run(
      Mode mode, String preset, String optimizer, Path data, Path report, int iterations)
      throws IOException {
    List<String> arguments = new ArrayList<>(List.of("train", "--data", data.toString()));
    arguments.addAll(List.of("--preset", preset, "--max-rows-per-table", "100000"));
    arguments.addAll(List.of("--batch", "" + BATCH, "--iterations", "" + iterations));
    arguments.addAll(List.of("--servers", "" + SERVERS, "--workers", "2"));
    arguments.addAll(List.of("--optimizer", optimizer, "--learning-rate", "0.02"));
    arguments.addAll(List.of("--set", "dense.threads=1", "--set", "data.holdout=0"));
    for (String setting : mode.settings()) {
      arguments.addAll(List.of("--set", setting));
    }
    arguments.addAll(List.of("--report", report.toString()));
    OperatingSystemMXBean system = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
    long before = system.getProcessCpuTime();
    hold(arguments);
    double cpuMillis = (system.getProcessCpuTime() - before) / 1e6 / iterations;
    JsonNode told = new ObjectMapper().readTree(report.toFile());
    return new Run(
        told.get("samplesPerSecond").asDouble(),
        cpuMillis,
        told.get("bytes").get("delta").asDouble() / iterations,
        told.get("bytes").get("nnReplica").asDouble() / iterations);
  }

  private static void print(
      String preset, String optimizer, int iterations, int rounds, Run[][] runs) {
    System.out.printf(
        Locale.ROOT,
        "%s, %s, batch %d, tables capped at 100,000 rows, %d servers, 2 workers, %d cores, %d"
            + " rounds of %d iterations%n%n",
        preset,
        optimizer,
        BATCH,
        SERVERS,
        Runtime.getRuntime().availableProcessors(),
        rounds,
        iterations);
    System.out.println(
        "| redundancy | samples/s | time / none | CPU ms an iteration | CPU / none | differences,"
            + " MB | NN copies, MB |");
    System.out.println("|---|---|---|---|---|---|---|");
    for (int mode = 0; mode < MODES.length; mode++) {
      double[] rates = new double[rounds];
      double[] times = new double[rounds];
      double[] cpu = new double[rounds];
      double[] cpuRatios = new double[rounds];
      for (int round = 0; round < rounds; round++) {
        Run run = runs[mode][round];
        rates[round] = run.rate();
        times[round] = runs[0][round].rate() / run.rate();
        cpu[round] = run.cpuMillis();
        cpuRatios[round] = run.cpuMillis() / runs[0][round].cpuMillis();
      }
      System.out.printf(
          Locale.ROOT,
          "| %s | %,.0f | %s | %.1f | %s | %.2f | %.2f |%n",
          MODES[mode].name(),
          median(rates),
          spread(times),
          median(cpu),
          spread(cpuRatios),
          runs[mode][0].deltaBytes() / 1e6,
          runs[mode][0].nnBytes() / 1e6);
    }
  }

  /** Median and extremes. */
  private static String spread(double[] values) {
    return String.format(
        Locale.ROOT,
        "%.3f (%.3f to %.3f)",
        median(values),
        Arrays.stream(values).min().orElseThrow(),
        Arrays.stream(values).max().orElseThrow());
  }

  private static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    int middle = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }

  private static void hold(List<String> arguments) {
    StringWriter said = new StringWriter();
    PrintWriter writer = new PrintWriter(said, true);
    int code = Main.create().run(writer, writer, arguments.toArray(String[]::new));
    if (code != 0) {
      throw new IllegalStateException("exit code " + code + ": " + said);
    }
  }
}
