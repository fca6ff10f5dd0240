package io.holdfast.server.redundancy;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.config.control.ServerControl;
import io.holdfast.config.job.CommitMode;
import io.holdfast.config.job.JobSpec;
import io.holdfast.config.job.Packing;
import io.holdfast.config.job.Redundancy;
import io.holdfast.config.model.OptimizerKind;
import io.holdfast.config.placement.Backups;
import io.holdfast.config.placement.Epoch;
import io.holdfast.config.placement.Member;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.placement.PlacementMap;
import io.holdfast.config.protocol.DataMessage;
import io.holdfast.config.protocol.DataRange;
import io.holdfast.config.protocol.Payload;
import io.holdfast.config.protocol.PeerMessage;
import io.holdfast.config.protocol.RefusalReason;
import io.holdfast.config.protocol.ShardVersion;
import io.holdfast.config.protocol.StreamPosition;
import io.holdfast.config.protocol.TxId;
import io.holdfast.config.transport.FramePool;
import io.holdfast.erasure.CodeKind;
import io.holdfast.erasure.ErasureCode;
import io.holdfast.erasure.ErasureCodes;
import io.holdfast.server.ServerCore;
import io.holdfast.server.ServerGroup;
import io.holdfast.server.TestJobs;
import io.holdfast.server.storage.ParityStore;
import io.holdfast.server.storage.RefusedException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Real server cores, joined by queues: what each holds for the others. */
class RedundancyTest {
  private static final long ROWS = 61;

  static Stream<Arguments> jobs() {
    return Stream.of(OptimizerKind.values())
        .flatMap(
            optimizer ->
                Stream.of(
                    Arguments.of(optimizer, 3, Redundancy.of("xor", 2, 1)),
                    Arguments.of(optimizer, 6, Redundancy.of("xor", 4, 1)),
                    Arguments.of(optimizer, 2, Redundancy.of("xor", 1, 1)),
                    Arguments.of(optimizer, 6, Redundancy.of("rs", 4, 2)),
                    Arguments.of(optimizer, 5, Redundancy.of("rs", 2, 2).withWitness(true)),
                    Arguments.of(optimizer, 6, Redundancy.of("rs", 4, 2).withPacking(Packing.ON)),
                    Arguments.of(optimizer, 5, Redundancy.of("rs", 2, 3).withNnReplicas(0))));
  }

  private static JobSpec job(OptimizerKind optimizer, int servers, Redundancy redundancy) {
    return job(optimizer, servers, redundancy, CommitMode.TWO_PHASE, 1 << 16);
  }

  private static JobSpec job(
      OptimizerKind optimizer,
      int servers,
      Redundancy redundancy,
      CommitMode commit,
      int messageBytes) {
    return TestJobs.job(
        TestJobs.model(5, 40, 21),
        optimizer,
        servers,
        2,
        1 << 20,
        redundancy,
        commit,
        messageBytes);
  }

  private static long[] draw(Random random) {
    return random.longs(1 + random.nextInt(30), 0, ROWS).distinct().toArray();
  }

  private static long applied(ServerGroup group, TxId tx) {
    return group.answers.stream()
        .filter(answer -> answer instanceof DataMessage.Applied told && told.tx().equals(tx))
        .count();
  }

  private static void train(ServerGroup group, int from, int to, Random random) {
    for (int i = from; i < to; i++) {
      for (int worker = 0; worker < 2; worker++) {
        TxId tx = group.train(worker, i, draw(random), random);
        long applied = applied(group, tx);
        assertTrue(applied > 0, tx + " is applied");
        assertTrue(
            group.answers.stream().noneMatch(DataMessage.Refused.class::isInstance),
            group.answers::toString);
        group.answers.clear();
      }
    }
  }

  @ParameterizedTest
  @MethodSource("jobs")
  void shouldKeepEveryParityEqualToItsStripe(
      OptimizerKind optimizer, int servers, Redundancy redundancy) {
    try (ServerGroup group = new ServerGroup(job(optimizer, servers, redundancy))) {
      train(group, 1, 40, new Random(7));
      check(group);
    }
  }

  @ParameterizedTest
  @MethodSource("jobs")
  void shouldFoldOnceWhateverTheWireDoes(
      OptimizerKind optimizer, int servers, Redundancy redundancy) {
    Random wire = new Random(3);
    try (ServerGroup group =
        new ServerGroup(job(optimizer, servers, redundancy, CommitMode.TWO_PHASE, 200))) {
      group.wire = (from, to, message) -> message instanceof PeerMessage ? wire.nextInt(4) : 1;
      Random random = new Random(5);
      for (int i = 1; i < 20; i++) {
        group.train(0, i, draw(random), random);
        long before = group.cores.stream().mapToLong(c -> c.origin().unacknowledgedItems()).sum();
        for (int round = 0; round < 200 && before > 0; round++) {
          group.pass(group.job.retryNanos());
          before = group.cores.stream().mapToLong(c -> c.origin().unacknowledgedItems()).sum();
        }
      }
      check(group);
    }
  }

  @Test
  void shouldCommitInOnePhase() {
    try (ServerGroup group =
        new ServerGroup(
            job(
                OptimizerKind.ADAGRAD,
                6,
                Redundancy.of("rs", 4, 2),
                CommitMode.ONE_PHASE,
                1 << 16))) {
      train(group, 1, 20, new Random(7));
      check(group);
    }
  }

  @Test
  void shouldSayAppliedOnlyWhenAllHoldersHaveAcknowledged() {
    try (ServerGroup group =
        new ServerGroup(job(OptimizerKind.SGD, 3, Redundancy.of("xor", 2, 1)))) {
      group.wire =
          (from, to, message) ->
              message instanceof PeerMessage.StreamItem && to.equals(NodeId.server(1)) ? 0 : 1;
      Random random = new Random(1);
      TxId tx = group.train(0, 1, new long[] {0, 1, 2, 3, 4, 5, 6, 7, 8}, random);
      long before = applied(group, tx);
      assertTrue(before < 3, "a server told Applied although a holder has not its share");
      assertTrue(group.cores.getFirst().origin().unacknowledgedBytes() > 0);
      group.pass(5);
      assertTrue(group.cores.getFirst().origin().oldestUnacknowledgedNanos() > 0);
      group.wire = (from, to, message) -> 1;
      group.pass(group.job.retryNanos());
      assertEquals(3, applied(group, tx));
      assertEquals(0, group.cores.getFirst().origin().oldestUnacknowledgedNanos());
      check(group);
    }
  }

  @Test
  void shouldStageNothingNewWhileTooMuchIsUnacknowledged() {
    try (ServerGroup group =
        new ServerGroup(
            job(OptimizerKind.SGD, 3, Redundancy.of("xor", 2, 1).withWindowBytes(300)))) {
      group.wire = (from, to, message) -> message instanceof PeerMessage.StreamAck ? 0 : 1;
      Random random = new Random(1);
      group.train(0, 1, new long[] {0, 1, 2, 3, 4, 5, 6, 7, 8}, random);
      group.answers.clear();
      group.stage(new TxId(NodeId.worker(1), 201, 1), new long[] {0, 1, 2, 3, 4, 5}, random);
      group.settle();
      assertTrue(
          group.answers.stream().anyMatch(DataMessage.Refused.class::isInstance),
          group.answers::toString);
      assertTrue(group.answers.stream().noneMatch(DataMessage.Staged.class::isInstance));
      group.wire = (from, to, message) -> 1;
      group.pass(group.job.retryNanos());
      group.answers.clear();
      group.train(1, 1, new long[] {0, 1, 2, 3, 4, 5}, random);
      assertFalse(group.answers.stream().anyMatch(DataMessage.Refused.class::isInstance));
      check(group);
    }
  }

  @Test
  void shouldBoundWhatAllKeepWhileOneHolderStandsStill() {
    long window = 1 << 14;
    try (ServerGroup group =
        new ServerGroup(
            job(
                OptimizerKind.ADAGRAD,
                6,
                Redundancy.of("rs", 4, 2).withNnReplicas(0).withWindowBytes(window)))) {
      group.watermarks = false;
      group.wire =
          (from, to, message) ->
              message instanceof PeerMessage.StreamItem && to.equals(NodeId.server(1)) ? 0 : 1;
      Random random = new Random(1);
      long[] all = java.util.stream.LongStream.range(0, ROWS).toArray();
      for (int i = 1; i < 200; i++) {
        group.train(0, i, all, random);
      }
      long tails = 0;
      long pressed = 0;
      for (ServerCore core : group.cores) {
        tails += core.holder().tailBytes();
        pressed += core.origin().isPressed() ? 1 : 0;
      }
      assertTrue(pressed >= 3, pressed + " servers wait");
      long transaction = 1 << 12;
      assertTrue(tails < group.cores.size() * (window + transaction), tails + " bytes in tails");
    }
  }

  @Test
  void shouldApplyPartsWhoseDifferencesAreLongerThanAnyMessage() {
    long rows = 400_000;
    JobSpec job =
        TestJobs.job(
            TestJobs.model(8, rows),
            OptimizerKind.ADAM,
            2,
            1,
            1 << 26,
            Redundancy.of("xor", 1, 1),
            CommitMode.TWO_PHASE,
            FramePool.maxLengthBytes() - (1 << 13));
    long[] all = java.util.stream.LongStream.range(0, rows).toArray();
    assertTrue(rows / 2 * job.rowLayout().rowBytes() > FramePool.maxLengthBytes());
    try (ServerGroup group = new ServerGroup(job)) {
      TxId tx = group.train(0, 1, all, new Random(1));
      assertEquals(2, applied(group, tx));
      for (ServerCore core : group.cores) {
        assertEquals(rows / 2, core.parities().folded());
        assertEquals(0, core.origin().unacknowledgedItems());
      }
    }
  }

  @Test
  void shouldForgetRecordsOfAWorkerOnceItsPlaceIsGivenToAnother() {
    try (ServerGroup group =
        new ServerGroup(job(OptimizerKind.SGD, 3, Redundancy.of("xor", 2, 1)))) {
      TxId tx = group.train(0, 1, new long[] {0, 1, 2, 3, 4, 5, 6, 7, 8}, new Random(1));
      FoldRecords records = group.cores.getFirst().holder().records();
      assertEquals(List.of(1L), records.decided(tx.worker(), tx.incarnation()));
      PlacementMap before = TestJobs.map(group.job);
      adopt(group, 2, before.members().stream().filter(m -> !m.node().equals(tx.worker())));
      assertEquals(List.of(1L), records.decided(tx.worker(), tx.incarnation()));
      adopt(
          group,
          3,
          before.members().stream()
              .map(m -> m.node().equals(tx.worker()) ? new Member(m.node(), 999, "") : m));
      assertEquals(List.of(), records.decided(tx.worker(), tx.incarnation()));
      assertEquals(0, records.bytes());
    }
  }

  private static void adopt(ServerGroup group, int number, Stream<Member> members) {
    PlacementMap map = new PlacementMap(new Epoch(1, number), TestJobs.KEY, members.toList());
    group.cores.forEach(core -> core.onControl(new ServerControl.AdoptEpoch(map), group.nowNanos));
  }

  static Stream<PeerMessage> malformed() {
    StreamPosition first = new StreamPosition(1, 1, 0);
    TxId tx = new TxId(NodeId.worker(0), 200, 5);
    TxId notOfAWorker = new TxId(NodeId.server(0), 200, 5);
    DataRange range = new DataRange(0, 0, 0, 10, 10, 0);
    Payload ids = Payload.of(TestJobs.ids(new long[] {0}));
    Payload counters = Payload.of(MemorySegment.ofArray(new int[] {1}));
    Payload values = Payload.of(TestJobs.fill(5, 1));
    int many = 700_000;
    Payload manyIds = Payload.of(MemorySegment.ofArray(new long[many]));
    Payload manyCounters = Payload.of(MemorySegment.ofArray(new int[many]));
    Payload manyWidths = Payload.of(MemorySegment.ofArray(new byte[many * 5 / 8 + 1]));
    return Stream.of(
        new PeerMessage.Deltas(first, notOfAWorker, 0, false, ids, counters, values),
        new PeerMessage.Deltas(first, tx, 5, false, ids, counters, values),
        new PeerMessage.Deltas(first, tx, 0, true, manyIds, manyCounters, manyWidths),
        new PeerMessage.Deltas(first, tx, 0, false, ids, Payload.EMPTY, values),
        new PeerMessage.Deltas(first, tx, 0, true, ids, counters, values),
        new PeerMessage.ForwardRange(first, tx, Long.MAX_VALUE, range),
        new PeerMessage.ForwardRange(first, tx, 0, new DataRange(0, 0, 10, 0, 10, 0)),
        new PeerMessage.ForwardRange(first, tx, 0, new DataRange(0, 0, 0, 10, -1, 0)),
        new PeerMessage.ForwardShard(
            first, tx, 9, 0, new ShardVersion(new Epoch(1, 1), 1), 0.1f, values),
        new PeerMessage.CaptureRows(1, Payload.of(TestJobs.ids(new long[] {-1}))),
        new PeerMessage.CaptureShard(1, -1));
  }

  @ParameterizedTest
  @MethodSource("malformed")
  void shouldOutliveMalformedFrames(PeerMessage message) {
    try (ServerGroup group =
        new ServerGroup(job(OptimizerKind.SGD, 3, Redundancy.of("rs", 1, 2)))) {
      group.send(NodeId.server(0), NodeId.server(1), message);
      group.settle();
      ServerCore core = group.cores.get(1);
      long refused = core.refused(RefusalReason.MALFORMED) + core.refused(RefusalReason.NOT_OWNER);
      assertEquals(1, refused);
      assertEquals(0, core.holder().records().bytes());
      train(group, 1, 20, new Random(7)); // The stream stands where it stood.
      check(group);
    }
  }

  /** Parity equals encode(changes), counters agree, copies are identical, nothing is left over. */
  private static void check(ServerGroup group) {
    Redundancy redundancy = group.job.redundancy();
    int k = redundancy.k();
    int r = redundancy.r();
    ErasureCode code = ErasureCodes.create(CodeKind.ofSettingName(redundancy.code()), k, r);
    int rowBytes = group.job.rowLayout().rowBytes();
    int updated = 0;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment[] data = new MemorySegment[k];
      MemorySegment[] parity = new MemorySegment[r];
      for (int i = 0; i < k; i++) {
        data[i] = arena.allocate(rowBytes, 64);
      }
      for (int i = 0; i < r; i++) {
        parity[i] = arena.allocate(rowBytes, 64);
      }
      for (long stripe = 0; stripe < group.map.stripes(); stripe++) {
        for (int member = 0; member < k; member++) {
          long row = stripe * k + member;
          data[member].fill((byte) 0);
          if (row < ROWS) {
            ServerCore owner = group.cores.get(group.map.serverOfRow(row));
            owner.rows().changes(row, code, data[member], 0);
            updated += owner.rows().counter(row) > 0 ? 1 : 0;
          }
        }
        code.encode(data, parity);
        for (int j = 0; j < r; j++) {
          ParityStore held = group.cores.get(group.map.serverOf(stripe, k + j)).parities();
          long place = held.placeOf(stripe);
          assertArrayEquals(
              parity[j].toArray(ValueLayout.JAVA_BYTE),
              held.parity(place).toArray(ValueLayout.JAVA_BYTE),
              "parity " + j + " of stripe " + stripe);
          for (int member = 0; member < k; member++) {
            long row = stripe * k + member;
            int counter =
                row < ROWS ? group.cores.get(group.map.serverOfRow(row)).rows().counter(row) : 0;
            assertEquals(counter, held.counter(place, member), "counter of row " + row);
          }
        }
      }
    }
    assertTrue(updated > 5, "rows were trained");
    for (int server = 0; server < group.job.servers(); server++) {
      ServerCore core = group.cores.get(server);
      assertEquals(0, core.origin().unacknowledgedItems());
      assertEquals(0, core.origin().unacknowledgedBytes());
      assertEquals(0, core.stagedBytes());
      for (int copy = 0; copy < r; copy++) {
        assertEquals(
            core.ranges(),
            group
                .cores
                .get(Backups.backup(server, copy, group.job.servers()))
                .holder()
                .ledger(server));
      }
      for (int shard = server; shard < group.job.nnShards().count(); shard += group.job.servers()) {
        for (int copy = 0; copy < redundancy.nnReplicas(); copy++) {
          ServerCore backup = group.cores.get(Backups.backup(server, copy, group.job.servers()));
          try {
            assertEquals(core.nn().version(shard), backup.nn().replicaVersion(server, shard));
            assertEquals(-1, core.nn().all(shard).mismatch(backup.nn().replica(server, shard)));
          } catch (RefusedException e) {
            throw new AssertionError(e);
          }
        }
      }
    }
  }
}
