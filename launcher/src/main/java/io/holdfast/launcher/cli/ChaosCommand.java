package io.holdfast.launcher.cli;

import io.holdfast.config.settings.SettingOverride;
import io.holdfast.config.settings.Settings;
import io.holdfast.criteo.synthetic.GenerationReport;
import io.holdfast.criteo.synthetic.Generator;
import io.holdfast.criteo.synthetic.GeneratorOptions;
import io.holdfast.launcher.fault.FaultPlan;
import io.holdfast.launcher.fault.FaultSpec;
import io.holdfast.launcher.job.ClusterMode;
import io.holdfast.launcher.job.TrainingJob;
import io.holdfast.launcher.picture.ThroughputPicture;
import io.holdfast.launcher.picture.ThroughputRecorder;
import io.holdfast.launcher.report.Fault;
import io.holdfast.launcher.report.TrainResult;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicReference;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code holdfast chaos}. */
@Command(
    name = "chaos",
    mixinStandardHelpOptions = true,
    description = {
      "Train in many processes, and let some of them fail at random: the same seed draws the same",
      "faults. Ends in a table of what each fault did, and a picture of throughput over time."
    })
public final class ChaosCommand implements Callable<Integer> {
  private final TrainingJob job;
  private final Map<String, String> settings;

  @Mixin private CommonOptions common;
  @Mixin private SettingOptions settingOptions;

  @Option(
      names = "--data",
      paramLabel = "PATH",
      description = "File or glob to train on; without it, --rows rows are made. Repeatable.")
  List<String> data;

  @Option(
      names = "--rows",
      paramLabel = "N",
      defaultValue = "1000000",
      description = "Rows to make. Default: ${DEFAULT-VALUE}.")
  private long rows;

  @Option(
      names = "--mtbf",
      paramLabel = "S",
      defaultValue = "20",
      description =
          "Mean time between two faults of a kind, in seconds. Default: ${DEFAULT-VALUE}.")
  private double mtbfSeconds;

  @Option(
      names = "--kills",
      paramLabel = "N",
      defaultValue = "1",
      description = "Servers to kill, at most. Default: ${DEFAULT-VALUE}.")
  private int kills;

  @Option(
      names = "--pauses",
      paramLabel = "N",
      defaultValue = "0",
      description = "Short pauses of servers and workers, at most. Default: ${DEFAULT-VALUE}.")
  private int pauses;

  @Option(names = "--seed", paramLabel = "X", description = "Of initial values and of the faults.")
  String seed;

  @Option(names = "--report", paramLabel = "FILE", description = "Write a report as JSON.")
  private Path report;

  @Option(
      names = "--picture",
      paramLabel = "FILE",
      description = "Draw throughput over time, with the faults, into a file: .svg or .png.")
  private Path picture;

  /**
   * The command.
   *
   * @param settings with which it trains, beside the data: they are this command's defaults
   */
  public ChaosCommand(TrainingJob job, Map<String, String> settings) {
    this.job = job;
    this.settings = settings;
  }

  @Override
  public Integer call() throws Exception {
    if (!(mtbfSeconds > 0) || kills < 0 || pauses < 0 || rows < 1000) {
      throw common.badUsage(
          "--mtbf must be above 0, --kills and --pauses at least 0, --rows at least 1000");
    }
    common.requireWritable("--picture", picture);
    if (picture != null && !ThroughputPicture.canWrite(picture)) {
      throw common.badUsage("--picture " + picture + ": must end in .svg or .png");
    }
    Path directory = Files.createTempDirectory("holdfast-chaos");
    Path made = directory.resolve("data.tsv");
    try {
      Settings checked = settingOptions.load("seed", overrides(made));
      List<FaultSpec> faults = faults(checked);
      if (data == null) {
        GenerationReport _ = Generator.write(GeneratorOptions.of(rows, 1, made));
      }
      AtomicReference<ThroughputRecorder> recorder = new AtomicReference<>();
      TrainResult result =
          new TrainingRun(
                  job,
                  common,
                  progress -> {
                    recorder.set(new ThroughputRecorder(progress));
                    return recorder.get();
                  })
              .run(checked, ClusterMode.PROCESSES, null, report, faults, false, Optional.empty());
      table(result);
      if (picture != null && !recorder.get().rates().isEmpty()) {
        ThroughputPicture.write(
            picture, recorder.get().rates(), recorder.get().unit(), result.faults());
        common.out().println("picture     drawn into " + picture);
      }
      common.out().flush();
      return ExitCode.DONE;
    } finally {
      Files.deleteIfExists(made);
      Files.deleteIfExists(directory);
    }
  }

  private List<FaultSpec> faults(Settings checked) {
    SplittableRandom random = new SplittableRandom(seed == null ? 1 : Long.parseLong(seed));
    int servers = checked.servers();
    List<FaultSpec> faults = new ArrayList<>(FaultPlan.kills(random, mtbfSeconds, servers, kills));
    double longestMillis = checked.launch().cluster().failurePauseNanos() / 2e6;
    faults.addAll(
        FaultPlan.pauses(random, mtbfSeconds, servers, checked.workers(), pauses, longestMillis));
    return faults;
  }

  private List<SettingOverride> overrides(Path made) {
    List<SettingOverride> overrides = new ArrayList<>();
    if (data == null) {
      overrides.add(new SettingOverride("data.paths", List.of(made.toString()), "chaos"));
    }
    settings.forEach((key, value) -> overrides.add(new SettingOverride(key, value, "chaos")));
    return overrides;
  }

  private void table(TrainResult result) {
    PrintWriter out = common.out();
    out.printf(
        "%nfault                             at      known   training on   before   during    after"
            + "  decoded%n");
    out.printf(
        "                                   s         ms            ms        samples per second"
            + "     rows%n");
    for (Fault fault : result.faults()) {
      out.printf(
          Locale.ROOT,
          "%-28s %7s %10s %13s %8s %8s %8s %8s%n",
          fault.event() + " " + fault.node(),
          number(fault.atSeconds(), 1),
          number(fault.detectedMillis(), 0),
          number(fault.firstCommitMillis(), 0),
          number(fault.throughputBefore(), 0),
          number(fault.throughputDuring(), 0),
          number(fault.throughputAfter(), 0),
          fault.rowsDegraded().map(each -> Long.toString(each)).orElse("-"));
    }
  }

  private static String number(double value, int decimals) {
    return Double.isFinite(value) ? String.format(Locale.ROOT, "%." + decimals + "f", value) : "-";
  }
}
