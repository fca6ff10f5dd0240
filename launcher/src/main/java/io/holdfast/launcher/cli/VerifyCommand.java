package io.holdfast.launcher.cli;

import io.holdfast.config.settings.Settings;
import io.holdfast.launcher.job.VerificationJob;
import io.holdfast.launcher.job.VerifyRequest;
import io.holdfast.launcher.progress.Progress;
import io.holdfast.launcher.report.ModelVerifyResult;
import io.holdfast.launcher.report.Provenance;
import io.holdfast.launcher.report.ReportFile;
import io.holdfast.launcher.report.VerifyReport;
import io.holdfast.launcher.report.VerifyResult;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code holdfast verify}. */
@Command(
    name = "verify",
    mixinStandardHelpOptions = true,
    description = {
      "Compare, on a running cluster, every parity with its stripe and every replica with its"
          + " primary, while training goes on (--seed); or read a saved model to its end"
          + " (--model).",
      "Exit code 0: all fits, or what did not was repaired; 5: something is wrong."
    })
public final class VerifyCommand implements Callable<Integer> {
  private final VerificationJob job;

  @Mixin private CommonOptions common;
  @Mixin private SettingOptions settingOptions;
  @Mixin MemberOptions member;

  @Option(
      names = "--model",
      paramLabel = "DIR",
      description = "Directory that train --save wrote, in place of --seed.")
  private Path model;

  @Option(
      names = "--repair",
      description = "Put rows and parities right whose fault can be located: needs r >= 2.")
  private boolean repair;

  @Option(
      names = "--rate",
      paramLabel = "ROWS",
      defaultValue = "0",
      description = "Most parity rows in a second, over all servers; 0: as fast as they can.")
  private long rate;

  @Option(
      names = "--report",
      paramLabel = "FILE",
      description = "Write a report as JSON; its keys are in docs/report.md.")
  private Path report;

  public VerifyCommand(VerificationJob job) {
    this.job = job;
  }

  @Override
  public Integer call() throws Exception {
    Settings settings = settingOptions.load("cluster.seeds", List.of());
    boolean seeds = !settings.launch().cluster().seeds().isEmpty();
    if (seeds == (model != null)) {
      throw common.badUsage(
          "name either a running cluster (--seed HOST:PORT) or a saved model (--model DIR)");
    }
    if (rate < 0) {
      throw common.badUsage("--rate " + rate + ": must be at least 0");
    }
    if (model != null && (repair || rate > 0)) {
      throw common.badUsage("--repair and --rate are for running clusters, not for --model");
    }
    common.requireWritable("--report", report);
    Provenance provenance = Provenance.of(common.arguments(), settings.values());
    return model == null ? cluster(settings, provenance) : model(settings, provenance);
  }

  private int cluster(Settings settings, Provenance provenance)
      throws IOException, InterruptedException {
    boolean ownTransport = settings.launch().transport().link().isPresent();
    VerifyRequest request = new VerifyRequest(settings.launch(), ownTransport, repair, rate);
    VerifyResult result;
    try (Progress progress = common.progress(settings.launch().progressNanos())) {
      result = job.verifyCluster(request, progress);
    }
    VerifyOutcome.print(result, common.out());
    write(new VerifyReport(Optional.of(result), Optional.empty(), provenance));
    return VerifyOutcome.exitCode(Optional.of(result));
  }

  private int model(Settings settings, Provenance provenance) throws IOException {
    if (!Files.isDirectory(model)) {
      throw common.badUsage("--model " + model + ": there is no such directory");
    }
    ModelVerifyResult result;
    try (Progress progress = common.progress(settings.launch().progressNanos())) {
      result = job.verifyModel(model.toAbsolutePath(), progress);
    }
    VerifyOutcome.print(result, common.out());
    write(new VerifyReport(Optional.empty(), Optional.of(result), provenance));
    return VerifyOutcome.exitCode(result);
  }

  private void write(VerifyReport told) throws IOException {
    if (report != null) {
      ReportFile.write(report, told);
      common.out().println("report      written to " + report);
    }
    common.out().flush();
  }
}
