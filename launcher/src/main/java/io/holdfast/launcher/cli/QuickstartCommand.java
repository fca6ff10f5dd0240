package io.holdfast.launcher.cli;

import io.holdfast.config.settings.SettingOverride;
import io.holdfast.config.settings.Settings;
import io.holdfast.criteo.synthetic.GenerationReport;
import io.holdfast.criteo.synthetic.Generator;
import io.holdfast.criteo.synthetic.GeneratorOptions;
import io.holdfast.criteo.synthetic.SyntheticCriteo;
import io.holdfast.launcher.fault.FaultParser;
import io.holdfast.launcher.fault.FaultSpec;
import io.holdfast.launcher.fault.FaultSpecException;
import io.holdfast.launcher.job.ClusterMode;
import io.holdfast.launcher.job.TrainingJob;
import io.holdfast.launcher.progress.Progress;
import io.holdfast.launcher.report.Planted;
import io.holdfast.launcher.report.TrainResult;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code holdfast quickstart}. */
@Command(
    name = "quickstart",
    mixinStandardHelpOptions = true,
    description = {
      "Make data, train on 5 servers and 2 workers, kill a server in the middle, and tell what was",
      "learned. Every server and worker is a process of its own.",
      "Every setting can be changed with --set."
    })
public final class QuickstartCommand implements Callable<Integer> {
  private static final long DATA_SEED = 1;
  private static final String KILL = "kill:server-1@progress=1/2";

  private final TrainingJob job;
  private final Map<String, String> settings;

  @Mixin private CommonOptions common;
  @Mixin private SettingOptions settingOptions;

  @Option(
      names = "--rows",
      paramLabel = "N",
      defaultValue = "1000000",
      description = "Rows to make; the last tenth is for scoring. Default: ${DEFAULT-VALUE}.")
  private long rows;

  @Option(
      names = "--processes",
      negatable = true,
      description = "--no-processes: all in this process, and nobody is killed.")
  Boolean processes;

  @Option(
      names = "--fault",
      paramLabel = "SPEC",
      description = "What happens in place of " + KILL + "; \"none\": nothing. Repeatable.")
  private List<String> faults = List.of(KILL);

  @Option(
      names = "--verify",
      description = "After training compare every parity and replica with what it protects.")
  private boolean verify;

  @Option(names = "--report", paramLabel = "FILE", description = "Write a report as JSON.")
  private Path report;

  /**
   * The command.
   *
   * @param settings with which it trains, beside the data: they are this command's defaults
   */
  public QuickstartCommand(TrainingJob job, Map<String, String> settings) {
    this.job = job;
    this.settings = settings;
  }

  @Override
  public Integer call() throws Exception {
    if (rows < 1000) {
      throw common.badUsage("--rows " + rows + ": must be at least 1000 to learn something");
    }
    Path directory = Files.createTempDirectory("holdfast-quickstart");
    Path data = directory.resolve("data.tsv");
    try {
      // Settings are checked before anything is made.
      Settings checked = settingOptions.load("seed", overrides(data));
      TrainingRun.requireVerifiable(common, checked, verify);
      Planted planted = make(data);
      ClusterMode mode =
          checked.launch().cluster().processes() ? ClusterMode.PROCESSES : ClusterMode.ONE_PROCESS;
      TrainResult result =
          new TrainingRun(job, common)
              .run(checked, mode, null, report, faults(mode), verify, Optional.of(planted));
      print(result, planted);
      return VerifyOutcome.exitCode(result.verify());
    } finally {
      Files.deleteIfExists(data);
      Files.deleteIfExists(directory);
    }
  }

  private List<FaultSpec> faults(ClusterMode mode) {
    boolean asked = !faults.equals(List.of(KILL));
    if (faults.equals(List.of("none")) || (mode == ClusterMode.ONE_PROCESS && !asked)) {
      return List.of();
    }
    try {
      return faults.stream().map(FaultParser::parse).toList();
    } catch (FaultSpecException e) {
      throw common.badUsage(e.getMessage());
    }
  }

  private List<SettingOverride> overrides(Path data) {
    List<SettingOverride> overrides = new ArrayList<>();
    overrides.add(new SettingOverride("data.paths", List.of(data.toString()), "quickstart"));
    settings.forEach((key, value) -> overrides.add(new SettingOverride(key, value, "quickstart")));
    return overrides;
  }

  private Planted make(Path data) throws IOException {
    PrintWriter out = common.out();
    GenerationReport generated;
    try (Progress progress = common.progress()) {
      generated =
          Generator.write(
              new GeneratorOptions(
                  rows,
                  DATA_SEED,
                  SyntheticCriteo.DEFAULT_MODEL_SEED,
                  data,
                  Runtime.getRuntime().availableProcessors(),
                  (what, done, total) -> progress.at(what, done, total, "rows")));
    }
    out.printf(
        Locale.ROOT,
        "made        %,d rows in %.1f s whose labels a planted model drew%n",
        generated.rows(),
        generated.seconds());
    out.printf(
        Locale.ROOT,
        "            nobody can do better than AUC %.4f, log loss %.4f%n",
        generated.plantedAuc(),
        generated.plantedLogLoss());
    out.flush();
    return GenerateCommand.planted(generated);
  }

  private void print(TrainResult result, Planted planted) {
    common
        .out()
        .printf(
            Locale.ROOT,
            "learned     AUC %.4f of the %.4f that can be reached: %.4f below%n",
            result.quality().auc(),
            planted.auc(),
            planted.auc() - result.quality().auc());
    common.out().flush();
  }
}
