package io.holdfast.launcher.job;

import io.holdfast.config.job.JobSpec;
import io.holdfast.launcher.progress.Progress;
import io.holdfast.launcher.report.VerifyResult;
import io.holdfast.worker.ClusterReader;
import io.holdfast.worker.ClusterScrub;
import io.holdfast.worker.ScrubFindings;

/** Lets a cluster compare its parities and replicas with what they protect. */
final class Scrubs {
  private Scrubs() {}

  /** Whether a job has anything that could be compared. */
  static boolean possible(JobSpec job) {
    return job.redundancy().isOn() || job.redundancy().nnReplicas() > 0;
  }

  /** Compares everything. */
  static VerifyResult run(
      ClusterReader reader, boolean repair, long rowsPerSecond, Progress progress) {
    long start = System.nanoTime();
    ScrubFindings findings =
        new ClusterScrub(reader, repair, rowsPerSecond)
            .run((done, total) -> progress.at("verifying", done, total, "parities"));
    return VerifyResult.of(findings, (System.nanoTime() - start) / 1e9);
  }
}
