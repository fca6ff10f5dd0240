package io.holdfast.system.sim;

import io.holdfast.config.job.JobSpec;
import io.holdfast.config.job.Redundancy;
import io.holdfast.recovery.TrainingData;

/** A job and what happens to it. */
record Scenario(JobSpec job, TrainingData data, SimModel model, Faults faults) {
  @Override
  public String toString() {
    return job.servers()
        + " servers, "
        + text(job.redundancy())
        + ", "
        + job.commit()
        + ", "
        + job.workers()
        + " workers, "
        + job.optimizer().kind().option()
        + ", "
        + job.sync()
        + (job.deterministic() ? " deterministic" : " staleness " + job.staleness())
        + ", window "
        + job.window()
        + ", batch "
        + job.batch()
        + ", "
        + job.stagedBytesMax()
        + " B for staged parts, "
        + data
        + ", "
        + (model.exact() ? "integers" : "floats")
        + ", "
        + faults;
  }

  private static String text(Redundancy redundancy) {
    return redundancy.isOn() ? redundancy.toString() : "no redundancy";
  }
}
