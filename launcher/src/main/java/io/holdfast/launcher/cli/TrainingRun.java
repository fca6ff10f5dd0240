package io.holdfast.launcher.cli;

import io.holdfast.config.job.JobSpec;
import io.holdfast.config.job.Redundancy;
import io.holdfast.config.settings.LaunchSettings;
import io.holdfast.config.settings.Settings;
import io.holdfast.criteo.InputFile;
import io.holdfast.criteo.InputFiles;
import io.holdfast.launcher.fault.FaultSpec;
import io.holdfast.launcher.fault.FaultSpecException;
import io.holdfast.launcher.job.ClusterMode;
import io.holdfast.launcher.job.TrainRequest;
import io.holdfast.launcher.job.TrainingJob;
import io.holdfast.launcher.progress.Progress;
import io.holdfast.launcher.report.Planted;
import io.holdfast.launcher.report.Provenance;
import io.holdfast.launcher.report.Quality;
import io.holdfast.launcher.report.ReportFile;
import io.holdfast.launcher.report.TrainReport;
import io.holdfast.launcher.report.TrainResult;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.UnaryOperator;

/** From settings to a trained model, a summary and a report. */
final class TrainingRun {
  private final TrainingJob job;
  private final CommonOptions common;

  private final UnaryOperator<Progress> watched;

  TrainingRun(TrainingJob job, CommonOptions common) {
    this(job, common, UnaryOperator.identity());
  }

  /** A run whose progress somebody else hears of, too. */
  TrainingRun(TrainingJob job, CommonOptions common, UnaryOperator<Progress> watched) {
    this.job = job;
    this.common = common;
    this.watched = watched;
  }

  /**
   * Trains and reports.
   *
   * @param save directory for the model, or null
   * @param report file for the report, or null
   * @param faults to inject
   * @param verify whether redundancy is checked after training
   */
  TrainResult run(
      Settings settings,
      ClusterMode mode,
      Path save,
      Path report,
      List<FaultSpec> faults,
      boolean verify,
      Optional<Planted> planted)
      throws IOException, InterruptedException {
    common.requireWritable("--report", report);
    common.requireEmptyDirectory("--save", save);
    requireVerifiable(common, settings, verify);
    LaunchSettings launch = settings.launch();
    if (launch.input().paths().isEmpty()) {
      throw common.badUsage("--data is missing: name the files to train on");
    }
    Provenance provenance = Provenance.of(common.arguments(), settings.values());
    TrainRequest request =
        request(
            settings,
            mode,
            Optional.ofNullable(save).map(Path::toAbsolutePath),
            faults,
            verify,
            common.isVerbose());
    requirePossible(faults, request.job(), mode);
    TrainResult result;
    try (Progress progress = watched.apply(common.progress(launch.progressNanos()))) {
      result = job.run(request, progress);
    }
    print(result, common.out());
    if (save != null) {
      common.out().println("model       saved to " + save);
    }
    if (report != null) {
      ReportFile.write(report, new TrainReport(result, planted, provenance));
      common.out().println("report      written to " + report);
    }
    common.out().flush();
    return result;
  }

  /** The job that settings describe. */
  static TrainRequest request(
      Settings settings,
      ClusterMode mode,
      Optional<Path> save,
      List<FaultSpec> faults,
      boolean verify,
      boolean verbose) {
    LaunchSettings launch = settings.launch();
    int workersHere = mode == ClusterMode.HOSTS ? 1 : settings.workers();
    int threads =
        Settings.threadsPerWorker(Runtime.getRuntime().availableProcessors(), workersHere);
    return new TrainRequest(
        mode,
        settings.jobSpec(find(launch.input().paths()), threads),
        launch,
        launch.input().evalPaths().isEmpty() ? List.of() : find(launch.input().evalPaths()),
        save,
        faults,
        verify,
        verbose);
  }

  /** Refuses to verify what cannot be verified, before anything starts. */
  static void requireVerifiable(CommonOptions common, Settings settings, boolean verify) {
    if (verify && settings.redundancy().equals(Redundancy.NONE)) {
      throw common.badUsage(
          "--verify: with redundancy = none there is nothing to compare; add --redundancy ecrm");
    }
  }

  private void requirePossible(List<FaultSpec> faults, JobSpec spec, ClusterMode mode) {
    for (FaultSpec fault : faults) {
      if (mode == ClusterMode.HOSTS) {
        throw common.badUsage(
            "--fault "
                + fault.text()
                + ": the servers and workers of this job are started by others; faults befall"
                + " those of train --processes");
      }
      if (mode == ClusterMode.ONE_PROCESS) {
        throw common.badUsage(
            "--fault "
                + fault.text()
                + ": servers and workers share this process, which cannot fail in part; add"
                + " --processes");
      }
      try {
        fault.requirePossible(spec);
      } catch (FaultSpecException e) {
        throw common.badUsage(e.getMessage());
      }
    }
  }

  /** Files by path or glob, under names that do not depend on where a process runs. */
  static List<String> find(List<String> pathsOrGlobs) {
    return InputFiles.find(pathsOrGlobs).stream()
        .map(InputFile::path)
        .map(path -> path.toAbsolutePath().normalize().toString())
        .toList();
  }

  private static void print(TrainResult result, PrintWriter out) {
    out.printf(
        Locale.ROOT,
        "trained     %,d samples in %,d iterations and %.1f s: %,.0f samples/s%n",
        result.samples(),
        result.iterations(),
        result.seconds(),
        result.samplesPerSecond());
    print(result.quality(), out);
    if (result.badLines() > 0) {
      out.printf(Locale.ROOT, "left out    %,d malformed lines%n", result.badLines());
    }
    result.faults().forEach(fault -> out.println(FaultLine.of(fault)));
    result.verify().ifPresent(verified -> VerifyOutcome.print(verified, out));
    out.println("digest      " + result.modelDigest());
  }

  static void print(Quality quality, PrintWriter out) {
    if (quality.evalSamples() == 0) {
      out.println("scored      nothing: no data was held out");
      return;
    }
    out.printf(
        Locale.ROOT,
        "scored      %,d samples: AUC %.4f, log loss %.4f, normalized entropy %.4f, accuracy"
            + " %.4f%n",
        quality.evalSamples(),
        quality.auc(),
        quality.logLoss(),
        quality.normalizedEntropy(),
        quality.accuracy());
  }
}
