package io.holdfast.launcher.cli;

import io.holdfast.config.settings.Settings;
import io.holdfast.launcher.job.ClusterMode;
import io.holdfast.launcher.job.TrainingJob;
import io.holdfast.launcher.report.TrainResult;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code holdfast coordinator}. */
@Command(
    name = "coordinator",
    mixinStandardHelpOptions = true,
    description = {
      "Run a job on servers and workers that join from any hosts.",
      "The seed of initial values is --set seed=S; --seed names a member of the cluster."
    })
public final class CoordinatorCommand implements Callable<Integer> {
  private final TrainingJob job;

  @Mixin private CommonOptions common;
  @Mixin private SettingOptions settingOptions;
  @Mixin JobOptions options;
  @Mixin private OutcomeOptions outcome;
  @Mixin MemberOptions member;

  public CoordinatorCommand(TrainingJob job) {
    this.job = job;
  }

  @Override
  public Integer call() throws Exception {
    Settings settings = settingOptions.load("cluster.seeds", List.of());
    if (settings.launch().cluster().processes()) {
      throw common.badUsage("cluster.processes = true: servers and workers start by themselves");
    }
    TrainResult result =
        new TrainingRun(job, common)
            .run(
                settings,
                ClusterMode.HOSTS,
                outcome.save,
                outcome.report,
                outcome.faults(common),
                outcome.verify,
                Optional.empty());
    return VerifyOutcome.exitCode(result.verify());
  }
}
