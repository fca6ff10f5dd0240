package io.holdfast.launcher.job;

import java.io.IOException;

/** Joins a cluster as a server or worker and serves until its job is over. */
public interface NodeJob {
  /**
   * Runs until the coordinator says stop.
   *
   * @throws JobLostException if the job ends because more failed than it can bear
   */
  void run(NodeRequest request) throws IOException, InterruptedException;
}
