package io.holdfast.launcher.job;

import io.holdfast.config.job.DataSpec;
import io.holdfast.criteo.LineStream;
import io.holdfast.launcher.progress.Progress;
import io.holdfast.server.storage.MemorySettings;
import io.holdfast.worker.Scorer;
import io.holdfast.worker.WorkerData;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;

/** Scores lines as they come with a saved model. */
public final class SavedModelPredictionJob implements PredictionJob {
  private static final DataSpec NO_FILES = new DataSpec(List.of(), List.of(), false, 0, "");

  @Override
  public long run(Path model, InputStream lines, String name, int threads, Writer probabilities)
      throws IOException {
    long[] scored = {0};
    try (LoadedModel loaded =
            LoadedModel.open(model, NO_FILES, MemorySettings.DEFAULT, Progress.NONE);
        Scorer scorer = new Scorer(loaded.reader(), threads)) {
      LineStream stream =
          new LineStream(
              lines, name, WorkerData.mapping(loaded.job().data(), loaded.job().model()));
      scorer.score(
          stream::read,
          (values, labels, count) -> {
            try {
              for (int i = 0; i < count; i++) {
                probabilities.write(
                    Float.toString(values.getAtIndex(ValueLayout.JAVA_FLOAT, i)) + "\n");
              }
              probabilities.flush();
            } catch (IOException e) {
              throw new UncheckedIOException(e);
            }
            scored[0] += count;
          });
    }
    return scored[0];
  }
}
