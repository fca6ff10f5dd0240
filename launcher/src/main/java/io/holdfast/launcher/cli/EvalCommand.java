package io.holdfast.launcher.cli;

import io.holdfast.config.settings.Settings;
import io.holdfast.launcher.job.EvaluationJob;
import io.holdfast.launcher.job.EvaluationRequest;
import io.holdfast.launcher.progress.Progress;
import io.holdfast.launcher.report.EvaluationReport;
import io.holdfast.launcher.report.EvaluationResult;
import io.holdfast.launcher.report.Provenance;
import io.holdfast.launcher.report.ReportFile;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code holdfast eval}. */
@Command(
    name = "eval",
    mixinStandardHelpOptions = true,
    description = "Score a saved model on labelled data.")
public final class EvalCommand implements Callable<Integer> {
  private final EvaluationJob job;

  @Mixin private CommonOptions common;
  @Mixin private SettingOptions settingOptions;
  @Mixin private ModelOption model;

  @Option(
      names = "--data",
      paramLabel = "PATH",
      required = true,
      description = "File or glob to score. Repeatable.")
  List<String> data;

  @Option(
      names = "--bad-lines",
      paramLabel = "POLICY",
      description = "What malformed lines do: fail, or skip (counted, with a limit).")
  String badLines;

  @Option(names = "--report", paramLabel = "FILE", description = "Write a report as JSON.")
  private Path report;

  public EvalCommand(EvaluationJob job) {
    this.job = job;
  }

  @Override
  public Integer call() throws Exception {
    Settings settings = settingOptions.load();
    Path directory = model.require(common);
    common.requireWritable("--report", report);
    Provenance provenance = Provenance.of(common.arguments(), settings.values());
    EvaluationRequest request =
        new EvaluationRequest(
            directory,
            TrainingRun.find(settings.launch().input().paths()),
            settings.launch(),
            model.threads());
    EvaluationResult result;
    try (Progress progress = common.progress(settings.launch().progressNanos())) {
      result = job.run(request, progress);
    }
    TrainingRun.print(result.quality(), common.out());
    common.out().println("digest      " + result.modelDigest());
    if (report != null) {
      ReportFile.write(report, new EvaluationReport(result, provenance));
      common.out().println("report      written to " + report);
    }
    common.out().flush();
    return ExitCode.DONE;
  }
}
