package io.holdfast.launcher.job;

import io.holdfast.config.job.DataSpec;
import io.holdfast.criteo.CriteoSource;
import io.holdfast.criteo.SourceOptions;
import io.holdfast.launcher.progress.Progress;
import io.holdfast.launcher.report.EvaluationResult;
import io.holdfast.launcher.report.Quality;
import io.holdfast.server.storage.MemorySettings;
import java.io.IOException;
import java.util.List;

/** Scores labelled files with a saved model. */
public final class SavedModelEvaluationJob implements EvaluationJob {
  @Override
  public EvaluationResult run(EvaluationRequest request, Progress progress) throws IOException {
    SourceOptions options =
        new SourceOptions((what, done, total) -> progress.at(what, done, total, "bytes"));
    DataSpec data =
        new DataSpec(
            request.files(), List.of(), false, request.launch().input().badLineLimit(), "");
    try (LoadedModel model =
            LoadedModel.open(
                request.model(), data, new MemorySettings(request.launch().hugePages()), progress);
        CriteoSource source = CriteoSource.open(request.files(), options)) {
      long start = System.nanoTime();
      Quality quality =
          new ModelReading(model.reader(), model.job(), progress)
              .score(source, source.splits(0, source.length(), source.length()), request.threads());
      return new EvaluationResult(
          (System.nanoTime() - start) / 1e9, quality, source.badLines(), model.digest());
    }
  }
}
