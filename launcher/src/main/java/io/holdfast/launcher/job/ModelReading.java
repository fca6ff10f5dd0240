package io.holdfast.launcher.job;

import io.holdfast.checkpoint.model.ModelDescription;
import io.holdfast.checkpoint.model.ModelDigest;
import io.holdfast.checkpoint.model.ModelWriter;
import io.holdfast.checkpoint.model.TeeVisitor;
import io.holdfast.config.job.JobSpec;
import io.holdfast.criteo.IdMapping;
import io.holdfast.criteo.SampleReader;
import io.holdfast.criteo.SampleSource;
import io.holdfast.criteo.Split;
import io.holdfast.launcher.BuildInfo;
import io.holdfast.launcher.progress.Progress;
import io.holdfast.launcher.report.Quality;
import io.holdfast.worker.ClusterReader;
import io.holdfast.worker.Scorer;
import io.holdfast.worker.WorkerData;
import io.holdfast.worker.metrics.Evaluation;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What is done with a model that is at rest on its servers: scored, digested, saved. */
final class ModelReading {
  private final ClusterReader reader;
  private final JobSpec job;
  private final Progress progress;

  ModelReading(ClusterReader reader, JobSpec job, Progress progress) {
    this.reader = reader;
    this.job = job;
    this.progress = progress;
  }

  /** Scores splits of a source with a dense part of so many threads. */
  Quality score(SampleSource source, List<Split> splits, int threads) {
    Evaluation evaluation = new Evaluation();
    IdMapping mapping = WorkerData.mapping(job.data(), job.model());
    long total = splits.stream().mapToLong(split -> split.to() - split.from()).sum();
    long before = 0;
    try (Scorer scorer = new Scorer(reader, threads)) {
      for (Split split : splits) {
        try (SampleReader samples = source.reader(split, mapping, WorkerData.policy(job.data()))) {
          long base = before - split.from();
          scorer.score(
              samples::read,
              (probabilities, labels, count) -> {
                evaluation.add(probabilities, labels, count);
                progress.at("scoring", base + samples.position(), total, source.unit());
              });
        }
        before += split.to() - split.from();
      }
    }
    return evaluation.samples() == 0
        ? Quality.none()
        : new Quality(
            evaluation.samples(),
            evaluation.auc(),
            evaluation.logLoss(),
            evaluation.normalizedEntropy(),
            evaluation.accuracy());
  }

  /**
   * Walks over the model once.
   *
   * @param save where to save it, too
   * @param settings told in the saved model's manifest
   * @return the digest
   */
  String digest(Optional<Path> save, Map<String, String> settings) throws IOException {
    ModelDigest digest = new ModelDigest(job.model(), job.optimizer(), job.seed());
    if (save.isEmpty()) {
      reader.visit(digest, this::walked);
      return digest.hex();
    }
    ModelDescription description =
        ModelDescription.of(job, BuildInfo.version(), Instant.now(), settings);
    try (ModelWriter writer = ModelWriter.create(save.get(), description)) {
      reader.visit(new TeeVisitor(digest, writer), this::walked);
      writer.commit();
    }
    return digest.hex();
  }

  private void walked(long done, long total) {
    progress.at("reading model", done, total, "rows");
  }
}
