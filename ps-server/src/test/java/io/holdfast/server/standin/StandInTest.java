package io.holdfast.server.standin;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.config.control.ServerControl;
import io.holdfast.config.job.CommitMode;
import io.holdfast.config.job.JobSpec;
import io.holdfast.config.job.Redundancy;
import io.holdfast.config.job.StandIns;
import io.holdfast.config.model.OptimizerKind;
import io.holdfast.config.placement.NnShards;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.protocol.DataMessage;
import io.holdfast.config.protocol.DataRange;
import io.holdfast.config.protocol.Participants;
import io.holdfast.config.protocol.Payload;
import io.holdfast.config.protocol.PeerMessage;
import io.holdfast.config.protocol.TxHeader;
import io.holdfast.config.protocol.TxId;
import io.holdfast.erasure.CodeKind;
import io.holdfast.erasure.ErasureCode;
import io.holdfast.erasure.ErasureCodes;
import io.holdfast.server.ServerCore;
import io.holdfast.server.ServerGroup;
import io.holdfast.server.TestJobs;
import io.holdfast.server.storage.NnStore;
import io.holdfast.server.storage.ParityStore;
import io.holdfast.server.storage.RowStore;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The same transactions on two groups of servers, one of which loses a server: in the end both have
 * the same bytes.
 */
class StandInTest {
  private static final long ROWS = 90;
  private static final NodeId READER = NodeId.reader(0);
  private static final Redundancy XOR = Redundancy.of("xor", 2, 1);

  private final Random random = new Random(6);
  private final Map<TxId, long[]> made =
      new TreeMap<>((a, b) -> a.toString().compareTo(b.toString()));

  static Stream<Arguments> settings() {
    return Stream.of(OptimizerKind.values())
        .flatMap(
            optimizer ->
                Stream.of(
                        XOR,
                        Redundancy.of("xor", 4, 1),
                        Redundancy.of("xor", 1, 1),
                        Redundancy.of("rs", 3, 1))
                    .map(redundancy -> Arguments.of(optimizer, redundancy)));
  }

  private static ServerGroup group(
      OptimizerKind optimizer, Redundancy redundancy, CommitMode mode) {
    return new ServerGroup(
        TestJobs.job(TestJobs.model(5, 50, 40), optimizer, 6, 2, 1 << 20, redundancy, mode, 600));
  }

  // A worker.

  private long[] draw(TxId tx) {
    return made.computeIfAbsent(
        tx, key -> random.longs(1 + random.nextInt(30), 0, ROWS).distinct().toArray());
  }

  private static TxId tx(int worker, long sequence) {
    return new TxId(NodeId.worker(worker), 200 + worker, sequence);
  }

  private static Payload gradients(TxId tx, long what, int floats, long[] of) {
    float[] values = new float[floats * of.length];
    for (int i = 0; i < values.length; i++) {
      long[] key = {tx.worker().index(), tx.sequence(), what, of[i / floats], i % floats};
      values[i] = new Random(Arrays.hashCode(key)).nextFloat() - 0.5f;
    }
    return Payload.of(MemorySegment.ofArray(values));
  }

  private static List<Integer> owners(ServerGroup group, long[] rows) {
    NnShards shards = group.job.nnShards();
    return IntStream.range(0, group.job.servers())
        .filter(
            server ->
                server < shards.count()
                    || Arrays.stream(rows).anyMatch(row -> group.map.serverOfRow(row) == server))
        .boxed()
        .toList();
  }

  /** Stages an owner's part where it belongs now; returns at which servers. */
  private List<Integer> stage(ServerGroup group, TxId tx, int owner) {
    long[] rows = draw(tx);
    StandIns standIns = group.standIns();
    Participants participants =
        Participants.of(owners(group, rows).stream().mapToInt(Integer::intValue).toArray());
    Map<Integer, List<Long>> byHost = new TreeMap<>();
    int deputy = standIns.deputy(owner);
    byHost.put(deputy, new ArrayList<>());
    for (long row : rows) {
      if (group.map.serverOfRow(row) == owner) {
        byHost.computeIfAbsent(standIns.ofRow(row), key -> new ArrayList<>()).add(row);
      }
    }
    byHost.forEach(
        (host, some) -> {
          long[] own = some.stream().mapToLong(Long::longValue).toArray();
          List<Integer> shards =
              IntStream.range(0, group.job.nnShards().count())
                  .filter(shard -> host == deputy && group.job.nnShards().primary(shard) == owner)
                  .boxed()
                  .toList();
          int parts = 1 + shards.size();
          NodeId to = NodeId.server(host);
          group.send(
              tx.worker(),
              to,
              new DataMessage.StageRows(
                  header(tx, owner, 0, parts),
                  participants,
                  Payload.of(TestJobs.ids(own)),
                  gradients(tx, 0, group.job.model().dim(), own)));
          for (int i = 0; i < shards.size(); i++) {
            int shard = shards.get(i);
            group.send(
                tx.worker(),
                to,
                new DataMessage.StageShard(
                    header(tx, owner, 1 + i, parts),
                    participants,
                    shard,
                    gradients(tx, 1, group.job.nnShards().length(shard), new long[] {shard})));
          }
        });
    return List.copyOf(byHost.keySet());
  }

  private static TxHeader header(TxId tx, int owner, int part, int parts) {
    long sequence = tx.sequence();
    DataRange range =
        new DataRange(0, tx.worker().index(), 10 * sequence, 10 * sequence + 10, 10, 0);
    return new TxHeader(tx, sequence - 1, 0.1f, owner, range, part, parts);
  }

  /** Stages and commits an owner's part and waits for the answers. */
  private void finish(ServerGroup group, TxId tx, int owner) {
    List<Integer> hosts = stage(group, tx, owner);
    settle(group);
    if (group.job.commit() == CommitMode.TWO_PHASE) {
      commit(group, tx, owner, hosts);
      settle(group);
    }
    long applied =
        group.answers.stream().filter(new DataMessage.Applied(tx, owner)::equals).count();
    assertTrue(applied >= hosts.size(), () -> tx + " of server-" + owner + ": " + group.answers);
    assertTrue(
        group.answers.stream().noneMatch(DataMessage.Refused.class::isInstance),
        group.answers::toString);
    group.answers.clear();
  }

  private static void commit(ServerGroup group, TxId tx, int owner, List<Integer> hosts) {
    for (int host : hosts) {
      group.send(
          tx.worker(), NodeId.server(host), new DataMessage.Commit(tx, owner, tx.sequence() - 1));
    }
  }

  private static void settle(ServerGroup group) {
    group.settle();
    for (int i = 0; i < 3; i++) {
      group.pass(group.job.retryNanos());
    }
  }

  private void train(ServerGroup group, long from, long to) {
    for (long sequence = from; sequence < to; sequence++) {
      for (int worker = 0; worker < 2; worker++) {
        TxId tx = tx(worker, sequence);
        for (int owner : owners(group, draw(tx))) {
          finish(group, tx, owner);
        }
      }
    }
  }

  // What is there.

  /** All rows that were ever updated, and all NN shards, as readers find them. */
  private static Map<String, String> content(ServerGroup group) {
    StandIns standIns = group.standIns();
    for (int i = 0; i < 50; i++) {
      group.pass(group.job.retryNanos());
    }
    group.answers.clear();
    for (int owner = 0; owner < group.job.servers(); owner++) {
      for (int host = 0; host < group.job.servers(); host++) {
        if (host == owner ? !standIns.isLost(owner) : standIns.standsIn(host, owner)) {
          for (long row = 0; row < ROWS; row += 5) {
            group.send(READER, NodeId.server(host), new DataMessage.Export(1, owner, row, row + 5));
          }
        }
      }
    }
    for (int shard = 0; shard < group.job.nnShards().count(); shard++) {
      int primary = group.job.nnShards().primary(shard);
      group.send(
          READER, NodeId.server(standIns.deputy(primary)), new DataMessage.ExportShard(1, shard));
    }
    group.settle();
    Map<String, String> content = new TreeMap<>();
    for (DataMessage answer : group.answers) {
      switch (answer) {
        case DataMessage.ExportedRows m -> rows(group, m, content);
        case DataMessage.ExportedShard m ->
            content.put("shard " + m.shard(), m.updates() + " " + hash(m.values().segment()));
        default -> throw new AssertionError(answer);
      }
    }
    group.answers.clear();
    return content;
  }

  private static void rows(
      ServerGroup group, DataMessage.ExportedRows m, Map<String, String> content) {
    int rowBytes = group.job.rowLayout().rowBytes();
    long count = m.rows().lengthBytes() / Long.BYTES;
    for (long i = 0; i < count; i++) {
      long row = m.rows().segment().get(ValueLayout.JAVA_LONG_UNALIGNED, 8 * i);
      int counter = m.counters().segment().get(ValueLayout.JAVA_INT_UNALIGNED, 4 * i);
      String before =
          content.put(
              "row " + row,
              counter + " " + hash(m.values().segment().asSlice(i * rowBytes, rowBytes)));
      assertEquals(null, before, "row " + row + " is told by two servers");
    }
  }

  /** Short, so that a failure can be read. */
  private static String hash(MemorySegment bytes) {
    return Long.toHexString(NnStore.digest(MemorySegment.ofBuffer(bytes.asByteBuffer())));
  }

  /** Every parity that is left is that of its rows, wherever they are now. */
  private static void requireParities(ServerGroup group) {
    JobSpec job = group.job;
    Redundancy redundancy = job.redundancy();
    ErasureCode code =
        ErasureCodes.create(
            CodeKind.ofSettingName(redundancy.code()), redundancy.k(), redundancy.r());
    int rowBytes = job.rowLayout().rowBytes();
    for (long stripe = 0; stripe < group.map.stripes(); stripe++) {
      int holder = group.map.serverOf(stripe, group.map.k());
      if (group.standIns().isLost(holder)) {
        continue;
      }
      MemorySegment[] changes = new MemorySegment[group.map.k()];
      for (int member = 0; member < changes.length; member++) {
        long row = stripe * group.map.k() + member;
        changes[member] = MemorySegment.ofArray(new byte[rowBytes]);
        if (row < group.map.rows()) {
          rowsOf(group, row).changes(row, code, changes[member], 0);
        }
      }
      MemorySegment[] right = {MemorySegment.ofArray(new byte[rowBytes])};
      code.encode(changes, right);
      ParityStore parities = group.cores.get(holder).parities();
      assertEquals(
          hash(right[0]),
          hash(parities.parity(parities.placeOf(stripe))),
          "the parity of stripe " + stripe + " on server-" + holder);
    }
  }

  private static RowStore rowsOf(ServerGroup group, long row) {
    int owner = group.map.serverOfRow(row);
    ServerCore core = group.cores.get(group.standIns().ofRow(row));
    return group.standIns().isLost(owner) ? core.acting().get(owner).rows() : core.rows();
  }

  private static void requireEqual(ServerGroup right, ServerGroup found) {
    Map<String, String> expected = content(right);
    assertTrue(expected.size() > ROWS / 2);
    assertEquals(expected, content(found));
    requireParities(found);
  }

  // Tests.

  @ParameterizedTest
  @MethodSource("settings")
  void shouldGoOnWithTheSameBytes(OptimizerKind optimizer, Redundancy redundancy) {
    for (CommitMode mode : CommitMode.values()) {
      for (int lost = 0; lost < 6; lost += 5) {
        try (ServerGroup whole = group(optimizer, redundancy, mode);
            ServerGroup group = group(optimizer, redundancy, mode)) {
          train(whole, 1, 16);
          train(group, 1, 8);
          group.lose(lost);
          train(group, 8, 16);
          requireEqual(whole, group);
          assertTrue(group.live().stream().anyMatch(core -> core.acting().size() > 0));
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("settings")
  void shouldGiveTheLostShareToANewProcess(OptimizerKind optimizer, Redundancy redundancy) {
    for (CommitMode mode : CommitMode.values()) {
      try (ServerGroup whole = group(optimizer, redundancy, mode);
          ServerGroup group = group(optimizer, redundancy, mode)) {
        train(whole, 1, 24);
        train(group, 1, 8);
        group.lose(3);
        train(group, 8, 12);
        group.join(3);
        train(group, 12, 16);
        for (int i = 0; i < 100; i++) {
          group.pass(group.job.retryNanos());
        }
        train(group, 16, 18);
        group.handOver(3);
        assertTrue(group.live().stream().allMatch(core -> core.acting().isEmpty()));
        train(group, 18, 22);
        try (ServerGroup part = new ServerGroup(whole.job)) {
          train(part, 1, 22);
          requireEqual(part, group);
        }
        group.lose(4);
        train(group, 22, 24);
        requireEqual(whole, group);
      }
    }
  }

  @Test
  void shouldGoOnIfTheNewProcessDies() {
    try (ServerGroup whole = group(OptimizerKind.ADAM, XOR, CommitMode.TWO_PHASE);
        ServerGroup group = group(OptimizerKind.ADAM, XOR, CommitMode.TWO_PHASE)) {
      train(whole, 1, 16);
      train(group, 1, 6);
      group.lose(3);
      group.join(3);
      train(group, 6, 8);
      group.lose(3);
      train(group, 8, 10);
      group.join(3);
      for (int i = 0; i < 100; i++) {
        group.pass(group.job.retryNanos());
      }
      train(group, 10, 12);
      group.handOver(3);
      group.lose(3);
      train(group, 12, 16);
      requireEqual(whole, group);
    }
  }

  @ParameterizedTest
  @MethodSource("settings")
  void shouldFindAllRowsWithoutAnyMoreTraining(OptimizerKind optimizer, Redundancy redundancy) {
    try (ServerGroup whole = group(optimizer, redundancy, CommitMode.TWO_PHASE);
        ServerGroup group = group(optimizer, redundancy, CommitMode.TWO_PHASE)) {
      train(whole, 1, 12);
      train(group, 1, 12);
      group.lose(2);
      requireEqual(whole, group);
    }
  }

  /** The lost server had applied a part, and told some of its holders only (hazard 3). */
  @ParameterizedTest
  @MethodSource("settings")
  void shouldSkipWhatTheLostServerHadSpread(OptimizerKind optimizer, Redundancy redundancy) {
    for (int silent = 0; silent < 6; silent++) {
      try (ServerGroup whole = group(optimizer, redundancy, CommitMode.TWO_PHASE);
          ServerGroup group = group(optimizer, redundancy, CommitMode.TWO_PHASE)) {
        train(whole, 1, 10);
        train(group, 1, 8);
        int lost = 1;
        NodeId unheard = NodeId.server(silent);
        // Transaction 8 of both workers is applied at the server, but hardly known to others.
        group.wire =
            (from, to, message) ->
                from.equals(NodeId.server(lost))
                        && message instanceof PeerMessage.StreamItem
                        && (to.equals(unheard) || random.nextInt(3) == 0)
                    ? 0
                    : 1;
        for (int worker = 0; worker < 2; worker++) {
          stage(group, tx(worker, 8), lost);
          group.settle();
          commit(group, tx(worker, 8), lost, List.of(lost));
          group.settle();
        }
        group.wire = (from, to, message) -> 1;
        group.lose(lost);
        group.answers.clear();
        train(group, 8, 10);
        requireEqual(whole, group);
      }
    }
  }

  @Test
  void shouldAnswerPullsWhenTheirRowsAreDecoded() {
    try (ServerGroup group = group(OptimizerKind.ADAGRAD, XOR, CommitMode.TWO_PHASE)) {
      train(group, 1, 10);
      Map<Long, String> before = new TreeMap<>();
      pulls(group, before);
      assertEquals(ROWS, before.size());
      group.lose(3);
      Map<Long, String> after = new TreeMap<>();
      group.wire = (from, to, message) -> message instanceof PeerMessage ? random.nextInt(3) : 1;
      pulls(group, after);
      assertEquals(before, after);
    }
  }

  private static void pulls(ServerGroup group, Map<Long, String> found) {
    for (long row = 0; row < ROWS; row++) {
      group.answers.clear();
      group.send(
          READER,
          NodeId.server(group.standIns().ofRow(row)),
          new DataMessage.Pull(row, Payload.of(TestJobs.ids(row))));
      group.settle();
      for (int i = 0; i < 60 && group.answers.isEmpty(); i++) {
        group.pass(group.job.retryNanos());
      }
      for (DataMessage answer : group.answers) {
        if (answer instanceof DataMessage.Rows rows) {
          found.put(rows.request(), hash(rows.values().segment()));
        }
      }
    }
    group.answers.clear();
  }

  /** Rows are decoded while their siblings are updated all the time, over a wire that loses. */
  @ParameterizedTest
  @MethodSource("settings")
  void shouldDecodeAConsistentCut(OptimizerKind optimizer, Redundancy redundancy) {
    try (ServerGroup whole = group(optimizer, redundancy, CommitMode.TWO_PHASE);
        ServerGroup group = group(optimizer, redundancy, CommitMode.TWO_PHASE)) {
      train(whole, 1, 20);
      train(group, 1, 10);
      group.lose(4);
      // Captures are asked for, and answered in between of what the siblings' owners send.
      group.wire =
          (from, to, message) -> message instanceof PeerMessage.CaptureRows ? random.nextInt(2) : 1;
      for (long sequence = 10; sequence < 20; sequence++) {
        for (int worker = 0; worker < 2; worker++) {
          TxId tx = tx(worker, sequence);
          for (int owner : owners(group, draw(tx))) {
            if (owner != 4) {
              finish(group, tx, owner);
            }
          }
          group.wire = (from, to, message) -> 1;
          if (owners(group, draw(tx)).contains(4)) {
            finish(group, tx, 4);
          }
        }
      }
      requireEqual(whole, group);
    }
  }

  @Test
  void shouldSettleADeadWorkersPartWhenItsRowsAreDecoded() {
    try (ServerGroup whole = group(OptimizerKind.MOMENTUM, XOR, CommitMode.TWO_PHASE);
        ServerGroup group = group(OptimizerKind.MOMENTUM, XOR, CommitMode.TWO_PHASE)) {
      train(whole, 1, 9);
      train(group, 1, 8);
      group.lose(0);
      TxId first = tx(1, 8);
      TxId second = tx(0, 8);
      for (int owner : owners(group, draw(second))) {
        finish(group, second, owner);
      }
      // No row of the lost server can be decoded for now.
      group.wire = (from, to, message) -> message instanceof PeerMessage.CaptureRows ? 0 : 1;
      for (int owner : owners(group, draw(first))) {
        stage(group, first, owner);
      }
      group.settle();
      for (ServerCore core : group.live()) {
        core.onControl(new ServerControl.QueryWorker(first.worker(), 201), group.nowNanos);
        core.onControl(
            new ServerControl.ResolveWorker(first.worker(), 201, List.of(8L)), group.nowNanos);
      }
      group.wire = (from, to, message) -> 1;
      settle(group);
      requireEqual(whole, group);
      long ranges =
          group.live().stream()
              .flatMap(core -> core.ranges().stream())
              .mapToLong(each -> each.iterations())
              .sum();
      assertEquals(16, ranges, "each transaction's data is recorded once");
    }
  }
}
