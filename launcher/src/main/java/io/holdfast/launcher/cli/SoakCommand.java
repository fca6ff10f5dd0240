package io.holdfast.launcher.cli;

import io.holdfast.config.settings.SettingOverride;
import io.holdfast.config.settings.Settings;
import io.holdfast.criteo.synthetic.GenerationReport;
import io.holdfast.criteo.synthetic.Generator;
import io.holdfast.criteo.synthetic.GeneratorOptions;
import io.holdfast.launcher.fault.FaultPlan;
import io.holdfast.launcher.fault.FaultSpec;
import io.holdfast.launcher.job.ClusterMode;
import io.holdfast.launcher.job.JobLostException;
import io.holdfast.launcher.job.TrainingFailedException;
import io.holdfast.launcher.job.TrainingJob;
import io.holdfast.launcher.progress.Progress;
import io.holdfast.launcher.report.Fault;
import io.holdfast.launcher.report.TrainResult;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code holdfast soak}. */
@Command(
    name = "soak",
    mixinStandardHelpOptions = true,
    description = {
      "Train small deterministic jobs again and again, kill servers in them, and compare the bytes",
      "that they end in with those of the same job without a kill. Any difference: exit code 1."
    })
public final class SoakCommand implements Callable<Integer> {
  private static final int SERVERS = 5;

  /** What rounds go through in turn; with all of them a lost server can be survived. */
  private static final List<Map<String, String>> KINDS =
      List.of(
          Map.of("optimizer.name", "adagrad", "k", "4", "code", "xor"),
          Map.of("optimizer.name", "momentum", "k", "2", "code", "rs"),
          Map.of("optimizer.name", "adam", "k", "4", "code", "rs"),
          Map.of("optimizer.name", "sgd", "k", "2", "code", "xor"));

  private final TrainingJob job;

  @Mixin private CommonOptions common;

  @Option(
      names = "--minutes",
      paramLabel = "M",
      required = true,
      description = "No round begins after so long.")
  private double minutes;

  @Option(
      names = "--mtbf",
      paramLabel = "S",
      defaultValue = "5",
      description =
          "Mean time in seconds, from the start of training, to a kill. Default: ${DEFAULT-VALUE}.")
  private double mtbfSeconds;

  @Option(
      names = "--seed",
      paramLabel = "X",
      defaultValue = "1",
      description = "Of the kills and of the data. Default: ${DEFAULT-VALUE}.")
  private long seed;

  @Option(
      names = "--rows",
      paramLabel = "N",
      defaultValue = "20000",
      description = "Rows of a round's data. Default: ${DEFAULT-VALUE}.")
  private long rows;

  @Option(
      names = "--epochs",
      paramLabel = "E",
      defaultValue = "4",
      description = "Passes over them in a round. Default: ${DEFAULT-VALUE}.")
  private int epochs;

  @Option(
      names = "--set",
      paramLabel = "KEY=VALUE",
      description = "A setting of all rounds; goes before what a round says. Repeatable.")
  private List<String> assignments = List.of();

  private final Map<Integer, String> undisturbed = new HashMap<>();
  private int rounds;
  private int killed;
  private int different;
  private int failed;

  public SoakCommand(TrainingJob job) {
    this.job = job;
  }

  @Override
  public Integer call() throws Exception {
    if (!(minutes > 0) || !(mtbfSeconds > 0) || rows < 1000 || epochs < 1) {
      throw common.badUsage(
          "--minutes and --mtbf must be above 0, --rows at least 1000, --epochs at least 1");
    }
    long end = System.nanoTime() + (long) (minutes * TimeUnit.MINUTES.toNanos(1));
    Path directory = Files.createTempDirectory("holdfast-soak");
    Path data = directory.resolve("data.tsv");
    try {
      GenerationReport _ = Generator.write(GeneratorOptions.of(rows, seed, data));
      SplittableRandom random = new SplittableRandom(seed);
      while (rounds == 0 || System.nanoTime() - end < 0) {
        round(data, random);
      }
    } finally {
      Files.deleteIfExists(data);
      Files.deleteIfExists(directory);
    }
    common
        .out()
        .printf(
            Locale.ROOT,
            "soak        %d rounds, %d servers killed, %d rounds ended in other bytes, %d failed%n",
            rounds,
            killed,
            different,
            failed);
    common.out().flush();
    return different + failed > 0 ? ExitCode.FAILED : ExitCode.DONE;
  }

  private void round(Path data, SplittableRandom random) throws IOException, InterruptedException {
    int kind = rounds % KINDS.size();
    rounds++;
    if (!undisturbed.containsKey(kind)) {
      undisturbed.put(kind, train(data, kind, ClusterMode.ONE_PROCESS, List.of()).modelDigest());
    }
    List<FaultSpec> faults = FaultPlan.kills(random, mtbfSeconds, SERVERS, 1);
    String outcome;
    try {
      TrainResult result = train(data, kind, ClusterMode.PROCESSES, faults);
      killed += (int) result.faults().stream().filter(f -> f.event().equals("server-died")).count();
      boolean same = result.modelDigest().equals(undisturbed.get(kind));
      different += same ? 0 : 1;
      outcome = (same ? "same bytes" : "OTHER BYTES: " + result.modelDigest()) + words(result);
    } catch (TrainingFailedException | JobLostException e) {
      failed++;
      outcome = "FAILED: " + e.getMessage();
    }
    common
        .out()
        .printf(
            Locale.ROOT,
            "round %-5d %s k=%s %s, %s: %s%n",
            rounds,
            KINDS.get(kind).get("code"),
            KINDS.get(kind).get("k"),
            KINDS.get(kind).get("optimizer.name"),
            faults.getFirst().text(),
            outcome);
    common.out().flush();
  }

  private static String words(TrainResult result) {
    Fault fault = result.faults().getFirst();
    return fault.event().equals("did-not-happen")
        ? ", trained before the kill"
        : String.format(
            Locale.ROOT,
            ", known after %.0f ms, training on after %.0f ms",
            fault.detectedMillis(),
            fault.firstCommitMillis());
  }

  private TrainResult train(Path data, int kind, ClusterMode mode, List<FaultSpec> faults)
      throws IOException, InterruptedException {
    Map<String, Object> values = new HashMap<>();
    values.put("data.paths", List.of(data.toString()));
    values.put("cluster.servers", Integer.toString(SERVERS));
    values.put("deterministic", "true");
    values.put("redundancy", "ecrm");
    values.put("max.rows.per.table", "500");
    values.put("batch", "128");
    values.put("learning.rate", "0.01");
    values.put("epochs", Integer.toString(epochs));
    values.put("seed", Long.toString(seed));
    values.putAll(KINDS.get(kind));
    List<SettingOverride> overrides =
        new ArrayList<>(
            values.entrySet().stream()
                .map(each -> new SettingOverride(each.getKey(), each.getValue(), "soak"))
                .toList());
    assignments.forEach(each -> overrides.add(SettingOverride.ofAssignment(each)));
    Settings settings = Settings.load(List.of(), overrides);
    return job.run(
        TrainingRun.request(settings, mode, Optional.empty(), faults, false, common.isVerbose()),
        Progress.NONE);
  }
}
