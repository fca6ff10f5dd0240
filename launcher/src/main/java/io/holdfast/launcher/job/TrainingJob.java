package io.holdfast.launcher.job;

import io.holdfast.launcher.progress.Progress;
import io.holdfast.launcher.report.TrainResult;
import java.io.IOException;

/** Trains a model on a cluster, scores it, and saves it if asked. */
public interface TrainingJob {
  /**
   * Runs to the end.
   *
   * @throws BadDataException or {@link io.holdfast.criteo.CriteoDataException} if input is unusable
   * @throws JobLostException if more failed than the job can bear
   */
  TrainResult run(TrainRequest request, Progress progress) throws IOException, InterruptedException;
}
