package io.holdfast.benchmarks;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.holdfast.config.job.JobSpec;
import io.holdfast.config.settings.SettingOverride;
import io.holdfast.config.settings.Settings;
import io.holdfast.launcher.Main;
import io.holdfast.server.storage.RefusedException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * What the parameter server costs: training throughput of the embedded cluster against one plain
 * loop over the same model, in turns in one JVM, so that both meet the same machine. Prints every
 * round, medians and ratios.
 *
 * <p>Arguments: preset, iterations of a run, rounds (one more is run first, for the JIT), servers.
 */
public final class ParameterServerCost {
  private static final int BATCH = 2048;
  private static final int ROWS = 200_000;

  private ParameterServerCost() {}

  public static void main(String[] arguments) throws IOException, RefusedException {
    String preset = arguments.length > 0 ? arguments[0] : "kaggle";
    int iterations = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 100;
    int rounds = arguments.length > 2 ? Integer.parseInt(arguments[2]) : 5;
    int servers = arguments.length > 3 ? Integer.parseInt(arguments[3]) : 5;
    int cores = Runtime.getRuntime().availableProcessors();
    Path directory = Files.createTempDirectory("holdfast-bench");
    Path data = directory.resolve("data.tsv");
    Path report = directory.resolve("report.json");
    try {
      hold(List.of("generate", "--rows", "" + ROWS, "--seed", "1", "--out", data.toString()));
      JobSpec plain = plainJob(preset, data);
      String[] names = {
        "plain loop, 1 thread",
        "plain loop, " + cores + " threads",
        "cluster, 1 worker with " + cores + " threads",
        "cluster, " + cores + " workers with 1 thread"
      };
      double[][] rates = new double[names.length][rounds];
      for (int round = -1; round < rounds; round++) {
        double[] now = {
          PlainLoop.run(plain, data, 1, iterations),
          PlainLoop.run(plain, data, cores, iterations),
          cluster(preset, data, report, servers, 1, cores, iterations),
          cluster(preset, data, report, servers, cores, 1, iterations)
        };
        System.out.println(
            (round < 0 ? "warm-up " : "round " + round + " ") + Arrays.toString(now));
        for (int i = 0; round >= 0 && i < now.length; i++) {
          rates[i][round] = now[i];
        }
      }
      System.out.printf(
          Locale.ROOT,
          "%s, batch %d, tables capped at 100,000 rows, SGD, %d servers, %d cores, %s%n",
          preset,
          BATCH,
          servers,
          cores,
          System.getProperty("java.vm.version"));
      for (int i = 0; i < names.length; i++) {
        double[] sorted = rates[i].clone();
        Arrays.sort(sorted);
        System.out.printf(
            Locale.ROOT,
            "%-34s median %,9.0f samples/s (%,.0f to %,.0f)%n",
            names[i],
            median(rates[i]),
            sorted[0],
            sorted[rounds - 1]);
      }
      ratio("cluster, 1 worker / plain loop, same threads", rates[2], rates[1]);
      ratio(
          "cluster, " + cores + " workers / plain loop, " + cores + " threads", rates[3], rates[1]);
    } finally {
      Files.deleteIfExists(data);
      Files.deleteIfExists(report);
      Files.deleteIfExists(directory);
    }
  }

  private static void ratio(String name, double[] ours, double[] theirs) {
    double[] ratios = new double[ours.length];
    for (int i = 0; i < ratios.length; i++) {
      ratios[i] = ours[i] / theirs[i];
    }
    Arrays.sort(ratios);
    System.out.printf(
        Locale.ROOT,
        "%s: median %.3f (%.3f to %.3f)%n",
        name,
        median(ratios),
        ratios[0],
        ratios[ratios.length - 1]);
  }

  private static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    int middle = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }

  private static JobSpec plainJob(String preset, Path data) {
    List<SettingOverride> overrides =
        List.of(
            SettingOverride.ofAssignment("model.preset=" + preset),
            SettingOverride.ofAssignment("max.rows.per.table=100000"),
            SettingOverride.ofAssignment("batch=" + BATCH));
    return Settings.load(List.of(), overrides).jobSpec(List.of(data.toString()), 1);
  }

  private static double cluster(
      String preset, Path data, Path report, int servers, int workers, int threads, int iterations)
      throws IOException {
    List<String> arguments = new ArrayList<>(List.of("train", "--data", data.toString()));
    arguments.addAll(List.of("--preset", preset, "--max-rows-per-table", "100000"));
    arguments.addAll(List.of("--batch", "" + BATCH, "--iterations", "" + iterations));
    arguments.addAll(List.of("--servers", "" + servers, "--workers", "" + workers));
    arguments.addAll(List.of("--set", "dense.threads=" + threads, "--set", "data.holdout=0"));
    arguments.addAll(List.of("--report", report.toString()));
    hold(arguments);
    return new ObjectMapper().readTree(report.toFile()).get("samplesPerSecond").asDouble();
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
