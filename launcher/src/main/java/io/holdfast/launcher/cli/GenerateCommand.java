package io.holdfast.launcher.cli;

import io.holdfast.criteo.synthetic.GenerationReport;
import io.holdfast.criteo.synthetic.Generator;
import io.holdfast.criteo.synthetic.GeneratorOptions;
import io.holdfast.criteo.synthetic.SyntheticCriteo;
import io.holdfast.launcher.progress.Progress;
import io.holdfast.launcher.report.GenerateReport;
import io.holdfast.launcher.report.Planted;
import io.holdfast.launcher.report.Provenance;
import io.holdfast.launcher.report.ReportFile;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code holdfast generate}. */
@Command(
    name = "generate",
    mixinStandardHelpOptions = true,
    description = {
      "Write synthetic rows in Criteo's format whose labels are drawn from a planted model.",
      "Prints the AUC and log loss of the true probabilities: the best that can be reached."
    })
public final class GenerateCommand implements Callable<Integer> {
  @Mixin private CommonOptions common;

  @Option(names = "--rows", paramLabel = "N", required = true, description = "How many, from 1.")
  private long rows;

  @Option(names = "--seed", paramLabel = "S", defaultValue = "1", description = "Which rows.")
  private long seed;

  @Option(
      names = "--out",
      paramLabel = "FILE",
      required = true,
      description = "The file; compressed if it ends in .gz or .zst.")
  private Path out;

  @Option(
      names = "--model-seed",
      paramLabel = "S",
      description = "Which planted model. Files of one model can train and score one another.")
  private Long modelSeed;

  @Option(names = "--threads", paramLabel = "T", description = "Threads; all cores if not given.")
  private Integer threads;

  @Option(names = "--report", paramLabel = "FILE", description = "Write a report as JSON.")
  private Path report;

  @Override
  public Integer call() throws Exception {
    if (rows < 1) {
      throw common.badUsage("--rows " + rows + ": must be at least 1");
    }
    if (threads != null && threads < 1) {
      throw common.badUsage("--threads " + threads + ": must be at least 1");
    }
    common.requireWritable("--out", out);
    common.requireWritable("--report", report);
    Provenance provenance = Provenance.of(common.arguments(), Map.of());
    GenerationReport generated;
    try (Progress progress = common.progress()) {
      generated =
          Generator.write(
              new GeneratorOptions(
                  rows,
                  seed,
                  modelSeed == null ? SyntheticCriteo.DEFAULT_MODEL_SEED : modelSeed,
                  out.toAbsolutePath(),
                  threads == null ? Runtime.getRuntime().availableProcessors() : threads,
                  (what, done, total) -> progress.at(what, done, total, "rows")));
    }
    print(generated, out, common.out());
    if (report != null) {
      ReportFile.write(report, reportOf(generated, provenance));
    }
    return ExitCode.DONE;
  }

  static Planted planted(GenerationReport generated) {
    return new Planted(generated.plantedAuc(), generated.plantedLogLoss());
  }

  private static GenerateReport reportOf(GenerationReport generated, Provenance provenance) {
    return new GenerateReport(
        generated.rows(),
        generated.clicks(),
        generated.bytes(),
        generated.seconds(),
        planted(generated),
        new Planted(generated.expectedAuc(), generated.expectedLogLoss()),
        provenance);
  }

  private static void print(GenerationReport generated, Path file, PrintWriter out) {
    out.printf(
        Locale.ROOT,
        "generated       %,d rows (%.1f %% clicks, %,d bytes) in %.1f s: %s%n",
        generated.rows(),
        100.0 * generated.clicks() / generated.rows(),
        generated.bytes(),
        generated.seconds(),
        file);
    out.printf(Locale.ROOT, "planted.auc     %.6f%n", generated.plantedAuc());
    out.printf(Locale.ROOT, "planted.logLoss %.6f%n", generated.plantedLogLoss());
    out.flush();
  }
}
