package io.holdfast.server;

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
import io.holdfast.config.placement.Epoch;
import io.holdfast.config.placement.Member;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.placement.PlacementMap;
import io.holdfast.config.protocol.Payload;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** Small jobs and pieces of messages. */
public final class TestJobs {
  public static final long KEY = 77;

  private TestJobs() {}

  public static ModelSpec model(int dim, long... tableRows) {
    List<TableSpec> tables =
        IntStream.range(0, tableRows.length).mapToObj(i -> new TableSpec(i, tableRows[i])).toList();
    return new ModelSpec("test", dim, List.of(3, dim), List.of(4, 1), Interaction.DOT, tables);
  }

  public static JobSpec job(
      ModelSpec model, OptimizerKind optimizer, int servers, int workers, long stagedBytesMax) {
    return job(
        model,
        optimizer,
        servers,
        workers,
        stagedBytesMax,
        Redundancy.NONE,
        CommitMode.TWO_PHASE,
        1 << 16);
  }

  public static JobSpec job(
      ModelSpec model,
      OptimizerKind optimizer,
      int servers,
      int workers,
      long stagedBytesMax,
      Redundancy redundancy,
      CommitMode commit,
      int messageBytesMax) {
    return new JobSpec(
        model,
        OptimizerSpec.of(optimizer),
        LearningRate.constant(0.1f),
        42,
        servers,
        workers,
        redundancy,
        commit,
        16,
        8,
        SyncMode.ASYNC,
        0,
        false,
        3,
        "nd4j",
        1,
        stagedBytesMax,
        1_000_000_000L,
        messageBytesMax,
        new DataSpec(List.of("data.tsv"), List.of(), false, 0, ""));
  }

  /** Server i has incarnation 100 + i, worker i 200 + i, reader 0 has 300. */
  public static PlacementMap map(JobSpec job) {
    List<Member> members = new ArrayList<>();
    for (int i = 0; i < job.servers(); i++) {
      members.add(new Member(NodeId.server(i), 100 + i, ""));
    }
    for (int i = 0; i < job.workers(); i++) {
      members.add(new Member(NodeId.worker(i), 200 + i, ""));
    }
    members.add(new Member(NodeId.reader(0), 300, ""));
    return new PlacementMap(new Epoch(1, 1), KEY, members);
  }

  public static MemorySegment ids(long... ids) {
    return MemorySegment.ofArray(ids);
  }

  public static MemorySegment floats(float... values) {
    return MemorySegment.ofArray(values);
  }

  /** {@code count} floats of one value. */
  public static MemorySegment fill(int count, float value) {
    float[] values = new float[count];
    java.util.Arrays.fill(values, value);
    return MemorySegment.ofArray(values);
  }

  /** The bytes that a payload writes. */
  public static byte[] bytes(Payload payload) {
    byte[] bytes = new byte[Math.toIntExact(payload.lengthBytes())];
    if (bytes.length > 0) {
      payload.writeTo(MemorySegment.ofArray(bytes), 0);
    }
    return bytes;
  }

  public static float[] floatsOf(Payload payload) {
    return MemorySegment.ofArray(bytes(payload)).toArray(ValueLayout.JAVA_FLOAT_UNALIGNED);
  }
}
