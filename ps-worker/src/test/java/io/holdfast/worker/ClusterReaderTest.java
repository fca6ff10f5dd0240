package io.holdfast.worker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.config.job.JobSpec;
import io.holdfast.config.job.StandIns;
import io.holdfast.config.job.SyncMode;
import io.holdfast.config.model.ModelVisitor;
import io.holdfast.config.placement.Member;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.placement.PlacementMap;
import io.holdfast.config.protocol.DataMessage;
import io.holdfast.config.protocol.Payload;
import io.holdfast.config.protocol.RefusalReason;
import io.holdfast.config.transport.Endpoint;
import io.holdfast.config.transport.InMemoryNetwork;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Servers that are played, on the reader's own thread, whenever it looks for a newer map. */
final class ClusterReaderTest {
  private static final int LOST = 1;

  /** Rows of one answer. */
  private static final int CHUNK = 3;

  private final JobSpec job = TestJobs.redundant(SyncMode.ASYNC, false, false, false, 64);
  private final InMemoryNetwork network = new InMemoryNetwork();
  private final List<Endpoint> servers = new ArrayList<>();
  private final Set<Long> wasBusy = new HashSet<>();
  private PlacementMap map = TestJobs.map(job, 1);

  /** Server {@link #LOST} is lost after so many answers. */
  private int answersOfLost = Integer.MAX_VALUE;

  private int exportsToStandIns;
  private boolean silent;
  private boolean busy;

  private final List<Long> rows = new ArrayList<>();
  private MemorySegment nnWeights = MemorySegment.NULL;

  @AfterEach
  void close() {
    servers.forEach(Endpoint::close);
    network.close();
  }

  private ClusterReader reader(long patienceMillis) {
    for (int server = 0; server < job.servers(); server++) {
      NodeId node = NodeId.server(server);
      servers.add(new Endpoint(new Member(node, 100 + server, ""), network.open(node)));
    }
    NodeId self = NodeId.reader(0);
    return new ClusterReader(
        new Member(self, 200, ""),
        job,
        this::newestMap,
        network.open(self),
        TimeUnit.MILLISECONDS.toNanos(patienceMillis));
  }

  private PlacementMap newestMap() {
    for (Endpoint server : servers) {
      if (map.member(server.self().node()).isPresent()) {
        server.adopt(map);
        server.poll((from, message) -> answer(server, from, message), 100);
      }
    }
    return map;
  }

  private void answer(Endpoint server, NodeId from, DataMessage message) {
    if (silent) {
      return;
    }
    int index = server.self().node().index();
    if (index == LOST && --answersOfLost < 0) {
      map = TestJobs.map(job, 2, LOST);
      return;
    }
    StandIns standIns = StandIns.of(job, map);
    switch (message) {
      case DataMessage.Export export -> {
        assertTrue(index == export.owner() || standIns.standsIn(index, export.owner()));
        if (busy || (index != export.owner() && wasBusy.add(export.request()))) {
          server.send(from, new DataMessage.Refused(export.request(), RefusalReason.BUSY));
          return;
        }
        exportsToStandIns += index == export.owner() ? 0 : 1;
        server.send(from, export(standIns, index, export));
      }
      case DataMessage.ExportShard export -> {
        assertEquals(index, standIns.deputy(job.nnShards().primary(export.shard())));
        float[] values = new float[job.nnShards().length(export.shard())];
        for (int i = 0; i < values.length; i++) {
          values[i] = job.nnShards().from(export.shard()) + i;
        }
        server.send(
            from,
            new DataMessage.ExportedShard(
                export.request(), export.shard(), 7, Payload.of(MemorySegment.ofArray(values))));
      }
      case DataMessage.Refused refused ->
          // The reader did not have the newer map yet; it asks again.
          assertEquals(RefusalReason.STALE_EPOCH, refused.reason());
      default -> throw new AssertionError(message.toString());
    }
  }

  private DataMessage export(StandIns standIns, int server, DataMessage.Export export) {
    long[] ids =
        LongStream.range(export.fromRow(), export.toRow())
            .filter(row -> job.stripeMap().serverOfRow(row) == export.owner())
            .filter(row -> standIns.ofRow(row) == server)
            .limit(CHUNK)
            .toArray();
    int floats = job.rowLayout().rowFloats();
    int[] counters = LongStream.of(ids).mapToInt(row -> (int) row + 1).toArray();
    float[] values = new float[ids.length * floats];
    for (int i = 0; i < values.length; i++) {
      values[i] = ids[i / floats];
    }
    return new DataMessage.ExportedRows(
        export.request(),
        ids.length < CHUNK ? export.toRow() : ids[CHUNK - 1] + 1,
        Payload.of(MemorySegment.ofArray(ids)),
        Payload.of(MemorySegment.ofArray(counters)),
        Payload.of(MemorySegment.ofArray(values)));
  }

  private void visit(ClusterReader reader) {
    reader.visit(
        new ModelVisitor() {
          @Override
          public void row(long row, int updates, MemorySegment values, long offsetBytes) {
            rows.add(row);
            assertEquals(row + 1, updates);
            assertEquals(
                (float) row, values.get(ValueLayout.JAVA_FLOAT_UNALIGNED, offsetBytes), "value");
          }

          @Override
          public void nn(long updates, MemorySegment weights, MemorySegment state) {
            assertEquals(7, updates);
            nnWeights = MemorySegment.ofArray(weights.toArray(ValueLayout.JAVA_FLOAT));
          }
        },
        (done, total) -> {});
    assertEquals(LongStream.range(0, 100).boxed().toList(), rows);
    assertEquals(job.nnShards().parameters(), nnWeights.byteSize() / Float.BYTES);
    for (int i = 0; i < job.nnShards().parameters(); i++) {
      assertEquals((float) i, nnWeights.getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, i));
    }
  }

  @Test
  void shouldShowTheWholeModelInOrder() {
    try (ClusterReader reader = reader(60_000)) {
      visit(reader);
    }
    assertEquals(0, exportsToStandIns);
  }

  @Test
  void shouldShowTheWholeModelOverStandIns() {
    map = TestJobs.map(job, 1, LOST);
    try (ClusterReader reader = reader(60_000)) {
      visit(reader);
    }
    assertTrue(exportsToStandIns >= 3, "stand-ins were asked " + exportsToStandIns + " times");
  }

  @Test
  void shouldAskStandInsForTheRestWhenAServerIsLostMeanwhile() {
    long ownRows =
        LongStream.range(0, 100).filter(row -> job.stripeMap().serverOfRow(row) == LOST).count();
    Set<Integer> moments = new TreeSet<>();
    for (int answers = 0; answers <= ownRows / CHUNK + 1; answers++) {
      answersOfLost = answers;
      map = TestJobs.map(job, 1);
      exportsToStandIns = 0;
      rows.clear();
      try (ClusterReader reader = reader(60_000)) {
        visit(reader);
      }
      servers.forEach(Endpoint::close);
      servers.clear();
      wasBusy.clear();
      moments.add(exportsToStandIns);
    }
    assertTrue(moments.size() > 3, "asked so often at stand-ins: " + moments);
  }

  @Test
  void shouldWaitForAServerThatIsBusyButNotForOneThatIsSilent() {
    busy = true;
    try (ClusterReader reader = reader(1_000)) {
      long start = System.nanoTime();
      reader.await(
          () -> reader.endpoint().send(NodeId.server(0), new DataMessage.Export(1, 0, 0, 100)),
          (from, message) -> {
            if (message instanceof DataMessage.Refused
                && System.nanoTime() - start > TimeUnit.MILLISECONDS.toNanos(1_500)) {
              busy = false;
            }
          },
          () -> !busy);
      assertFalse(busy);
      silent = true;
      assertThrows(ClusterReader.NoAnswerException.class, () -> visit(reader));
    }
  }
}
