package io.holdfast.worker;

import io.holdfast.config.job.CommitMode;
import io.holdfast.config.job.DataSpec;
import io.holdfast.config.job.JobSpec;
import io.holdfast.config.job.LearningRate;
import io.holdfast.config.job.Redundancy;
import io.holdfast.config.job.StandIns;
import io.holdfast.config.job.SyncMode;
import io.holdfast.config.model.Interaction;
import io.holdfast.config.model.ModelSpec;
import io.holdfast.config.model.OptimizerKind;
import io.holdfast.config.model.OptimizerSpec;
import io.holdfast.config.model.TableSpec;
import io.holdfast.config.placement.Epoch;
import io.holdfast.config.placement.Member;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.placement.PlacementMap;
import java.util.ArrayList;
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
    return job(
        model, servers, batch, sync, staleness, deterministic, window, Redundancy.NONE, 64, false);
  }

  /** Four servers of which one may be lost. One table of 100 rows, NN shards of so many floats. */
  static JobSpec redundant(
      SyncMode sync, boolean deterministic, boolean onePhase, boolean witness, int nnShardFloats) {
    return job(
        model(1, 100, 64),
        4,
        64,
        sync,
        0,
        deterministic,
        sync == SyncMode.ASYNC ? 2 : 1,
        Redundancy.of("xor", 2, 1).withWitness(witness),
        nnShardFloats,
        onePhase);
  }

  private static JobSpec job(
      ModelSpec model,
      int servers,
      int batch,
      SyncMode sync,
      int staleness,
      boolean deterministic,
      int window,
      Redundancy redundancy,
      int nnShardFloats,
      boolean onePhase) {
    return new JobSpec(
        model,
        OptimizerSpec.of(OptimizerKind.SGD),
        LearningRate.constant(0.1f),
        1,
        servers,
        1,
        redundancy,
        onePhase ? CommitMode.ONE_PHASE : CommitMode.TWO_PHASE,
        nnShardFloats,
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

  /** A map with all servers but some, in epoch {@code (1, number)}. */
  static PlacementMap map(JobSpec job, int number, int... lost) {
    List<Member> members = new ArrayList<>();
    for (int server = 0; server < job.servers(); server++) {
      int index = server;
      if (IntStream.of(lost).noneMatch(each -> each == index)) {
        members.add(new Member(NodeId.server(server), 100 + server, ""));
      }
    }
    members.add(new Member(NodeId.reader(0), 200, ""));
    return new PlacementMap(new Epoch(1, number), 9, members);
  }

  static StandIns standIns(JobSpec job, int... lost) {
    return StandIns.of(job, map(job, 1, lost));
  }
}
