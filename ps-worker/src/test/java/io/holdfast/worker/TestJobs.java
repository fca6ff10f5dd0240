package io.holdfast.worker;

import io.holdfast.config.job.CommitMode;
import io.holdfast.config.job.DataSpec;
import io.holdfast.config.job.JobSpec;
import io.holdfast.config.job.LearningRate;
import io.holdfast.config.job.Redundancy;
import io.holdfast.config.job.SyncMode;
import io.holdfast.config.model.Interaction;
import io.holdfast.config.model.ModelSpec;
import io.holdfast.config.model.OptimizerKind;
import io.holdfast.config.model.OptimizerSpec;
import io.holdfast.config.model.TableSpec;
import java.util.List;
import java.util.stream.IntStream;

/** Small jobs. */
final class TestJobs {
  private TestJobs() {}

  static ModelSpec model(int tables, long rows, int dim) {
    return new ModelSpec(
        "tiny",
        dim,
        List.of(13, 8, dim),
        List.of(8, 1),
        Interaction.DOT,
        IntStream.range(0, tables).mapToObj(t -> new TableSpec(t, rows + t)).toList());
  }

  static JobSpec job(
      ModelSpec model, int servers, int batch, SyncMode sync, boolean deterministic) {
    return job(model, servers, batch, sync, 0, deterministic, sync == SyncMode.ASYNC ? 2 : 1);
  }

  static JobSpec job(
      ModelSpec model,
      int servers,
      int batch,
      SyncMode sync,
      int staleness,
      boolean deterministic,
      int window) {
    return new JobSpec(
        model,
        OptimizerSpec.of(OptimizerKind.SGD),
        LearningRate.constant(0.1f),
        1,
        servers,
        1,
        Redundancy.NONE,
        CommitMode.TWO_PHASE,
        64,
        batch,
        sync,
        staleness,
        deterministic,
        window,
        "nd4j",
        1,
        1 << 20,
        1_000_000,
        1024,
        new DataSpec(List.of("none"), List.of(), false, 0, ""));
  }
}
