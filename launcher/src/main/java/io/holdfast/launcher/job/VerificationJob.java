package io.holdfast.launcher.job;

import io.holdfast.launcher.progress.Progress;
import io.holdfast.launcher.report.ModelVerifyResult;
import io.holdfast.launcher.report.VerifyResult;
import java.io.IOException;
import java.nio.file.Path;

/** Checks that what is kept is what it should be. */
public interface VerificationJob {
  /**
   * Compares the parities and replicas of a running cluster with what they protect.
   *
   * @throws IOException if the cluster or its servers cannot be reached
   * @throws NothingRedundantException if the cluster's job keeps nothing twice
   */
  VerifyResult verifyCluster(VerifyRequest request, Progress progress)
      throws IOException, InterruptedException;

  /** Reads a saved model to its end. */
  ModelVerifyResult verifyModel(Path directory, Progress progress) throws IOException;
}
