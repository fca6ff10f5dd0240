package io.holdfast.launcher.cli;

import io.holdfast.config.settings.Settings;
import io.holdfast.launcher.job.ClusterMode;
import io.holdfast.launcher.job.TrainingJob;
import io.holdfast.launcher.report.TrainResult;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code holdfast train}. */
@Command(
    name = "train",
    mixinStandardHelpOptions = true,
    description = "Train a model on an embedded cluster, in this process or in many.")
public final class TrainCommand implements Callable<Integer> {
  private final TrainingJob job;

  @Mixin private CommonOptions common;
  @Mixin private SettingOptions settingOptions;
  @Mixin JobOptions options;
  @Mixin private OutcomeOptions outcome;

  @Option(
      names = "--processes",
      negatable = true,
      description = "Every server and worker is a process of its own on this host.")
  Boolean processes;

  @Option(names = "--seed", paramLabel = "S", description = "Of initial values.")
  String seed;

  public TrainCommand(TrainingJob job) {
    this.job = job;
  }

  @Override
  public Integer call() throws Exception {
    Settings settings = settingOptions.load();
    ClusterMode mode =
        settings.launch().cluster().processes() ? ClusterMode.PROCESSES : ClusterMode.ONE_PROCESS;
    TrainResult result =
        new TrainingRun(job, common)
            .run(
                settings,
                mode,
                outcome.save,
                outcome.report,
                outcome.faults(common),
                outcome.verify,
                Optional.empty());
    return VerifyOutcome.exitCode(result.verify());
  }
}
