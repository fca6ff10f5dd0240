package io.holdfast.recovery;

import io.holdfast.config.job.CommitMode;
import io.holdfast.config.job.DataSpec;
import io.holdfast.config.job.JobSpec;
import io.holdfast.config.job.LearningRate;
import io.holdfast.config.job.Redundancy;
import io.holdfast.config.job.SyncMode;
import io.holdfast.config.model.OptimizerKind;
import io.holdfast.config.model.OptimizerSpec;
import io.holdfast.config.model.Presets;
import java.util.List;

/** Small jobs. */
public final class TestJobs {
  private TestJobs() {}

  public static JobSpec job(
      int servers,
      int workers,
      SyncMode sync,
      int staleness,
      boolean deterministic,
      int window,
      int batch) {
    return job(servers, workers, sync, staleness, deterministic, window, batch, Redundancy.NONE);
  }

  public static JobSpec job(
      int servers,
      int workers,
      SyncMode sync,
      int staleness,
      boolean deterministic,
      int window,
      int batch,
      Redundancy redundancy) {
    return new JobSpec(
        Presets.named("kaggle").withMaxRowsPerTable(10),
        OptimizerSpec.of(OptimizerKind.ADAGRAD),
        LearningRate.constant(0.1f),
        7,
        servers,
        workers,
        redundancy,
        CommitMode.TWO_PHASE,
        4096,
        batch,
        sync,
        staleness,
        deterministic,
        window,
        "nd4j",
        1,
        1 << 20,
        1_000_000_000L,
        1 << 16,
        new DataSpec(List.of("a.tsv"), List.of(), true, 0, ""));
  }
}
