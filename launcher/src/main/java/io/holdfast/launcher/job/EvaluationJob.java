package io.holdfast.launcher.job;

import io.holdfast.launcher.progress.Progress;
import io.holdfast.launcher.report.EvaluationResult;
import java.io.IOException;

/** Scores a saved model on labelled data. */
public interface EvaluationJob {
  /**
   * Runs to the end.
   *
   * @throws BadDataException if the model is damaged
   * @throws io.holdfast.criteo.CriteoDataException if the data is
   */
  EvaluationResult run(EvaluationRequest request, Progress progress)
      throws IOException, InterruptedException;
}
