package io.holdfast.server.scrub;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.config.control.ServerControl;
import io.holdfast.config.job.CommitMode;
import io.holdfast.config.job.Packing;
import io.holdfast.config.job.Redundancy;
import io.holdfast.config.model.OptimizerKind;
import io.holdfast.config.placement.Member;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.placement.PlacementMap;
import io.holdfast.config.protocol.DataMessage;
import io.holdfast.config.protocol.DataMessage.Scrub;
import io.holdfast.config.protocol.DataMessage.ScrubKind;
import io.holdfast.config.protocol.DataMessage.Scrubbed;
import io.holdfast.config.protocol.PeerMessage;
import io.holdfast.erasure.CodeKind;
import io.holdfast.erasure.ErasureCode;
import io.holdfast.erasure.ErasureCodes;
import io.holdfast.server.ServerCore;
import io.holdfast.server.ServerGroup;
import io.holdfast.server.TestJobs;
import io.holdfast.server.storage.RefusedException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Scrubs between real server cores whose messages are really encoded. */
class ScrubCoresTest {
  private static final long ROWS = 90;
  private static final NodeId READER = NodeId.reader(0);
  private static final Redundancy RS = Redundancy.of("rs", 3, 2);

  private final Random random = new Random(4);
  private long request;

  static Stream<Arguments> settings() {
    return Stream.of(OptimizerKind.values())
        .flatMap(
            optimizer ->
                Stream.of(
                        Redundancy.of("xor", 2, 1),
                        Redundancy.of("xor", 1, 1),
                        RS.withPacking(Packing.ON),
                        Redundancy.of("rs", 2, 3),
                        Redundancy.of("sum", 4, 1))
                    .map(redundancy -> Arguments.of(optimizer, redundancy)));
  }

  private static ServerGroup group(OptimizerKind optimizer, Redundancy redundancy) {
    // Short messages, so that a piece takes several passes.
    return new ServerGroup(
        TestJobs.job(
            TestJobs.model(5, 50, 40),
            optimizer,
            6,
            2,
            1 << 20,
            redundancy,
            CommitMode.TWO_PHASE,
            600));
  }

  private void train(ServerGroup group, long from, long to) {
    for (long i = from; i < to; i++) {
      long[] rows = random.longs(20, 0, ROWS / 2).map(row -> 2 * row).distinct().toArray();
      group.train(0, i, rows, random);
      while (group.cores.stream().anyMatch(core -> core.origin().unacknowledgedItems() > 0)) {
        group.pass(group.job.retryNanos());
      }
    }
  }

  private void ask(ServerGroup group, ScrubKind kind, boolean repair) {
    long end =
        kind == ScrubKind.PARITIES ? group.map.parityCapacity() : group.job.nnShards().count();
    for (int server = 0; server < group.cores.size(); server++) {
      group.send(READER, NodeId.server(server), new Scrub(++request, kind, 0, end, repair));
    }
  }

  private static List<Scrubbed> answers(ServerGroup group) {
    List<Scrubbed> found = new ArrayList<>();
    for (DataMessage answer : group.answers) {
      assertTrue(!(answer instanceof DataMessage.Refused), answer::toString);
      if (answer instanceof Scrubbed scrubbed) {
        found.add(scrubbed);
      }
    }
    return found;
  }

  private ScrubCluster.Sum scrub(ServerGroup group, boolean repair) {
    group.answers.clear();
    ask(group, ScrubKind.PARITIES, repair);
    ask(group, ScrubKind.NN_REPLICAS, repair);
    group.settle();
    List<Scrubbed> found = answers(group);
    assertEquals(2 * group.cores.size(), found.size());
    return new ScrubCluster.Sum(found);
  }

  private static ServerCore owner(ServerGroup group, long row) {
    return group.cores.get(group.map.serverOfRow(row));
  }

  private static ErasureCode code(ServerGroup group) {
    Redundancy redundancy = group.job.redundancy();
    return ErasureCodes.create(
        CodeKind.ofSettingName(redundancy.code()), redundancy.k(), redundancy.r());
  }

  private static byte[] changes(ServerGroup group, long row) {
    MemorySegment changes = Arena.ofAuto().allocate(group.job.rowLayout().rowBytes());
    owner(group, row).rows().changes(row, code(group), changes, 0);
    return changes.toArray(ValueLayout.JAVA_BYTE);
  }

  /** Flips a bit of a row and changes its counter. */
  private static void damage(ServerGroup group, long row, int counterError) {
    byte[] changes = changes(group, row);
    changes[6] ^= 16;
    MemorySegment wrong = Arena.ofAuto().allocateFrom(ValueLayout.JAVA_BYTE, changes);
    int counter = owner(group, row).rows().counter(row);
    assertTrue(
        owner(group, row)
            .rows()
            .repair(row, counter, counter + counterError, code(group), wrong, 0));
  }

  @ParameterizedTest
  @MethodSource("settings")
  void shouldFindNothingWrongInWhatWasTrained(OptimizerKind optimizer, Redundancy redundancy) {
    try (ServerGroup group = group(optimizer, redundancy)) {
      train(group, 1, 30);
      ScrubCluster.Sum sum = scrub(group, true);
      assertEquals(0, sum.wrong, sum.toString());
      assertEquals(ROWS / 2, sum.rows);
    }
  }

  @ParameterizedTest
  @MethodSource("settings")
  void shouldFindNothingWrongWhileItTrainsOverABadWire(
      OptimizerKind optimizer, Redundancy redundancy) {
    try (ServerGroup group = group(optimizer, redundancy)) {
      group.wire = (from, to, message) -> message instanceof PeerMessage ? random.nextInt(4) : 1;
      long sequence = 1;
      for (int round = 0; round < 5; round++) {
        ask(group, ScrubKind.PARITIES, round % 2 == 0);
        ask(group, ScrubKind.NN_REPLICAS, round % 2 == 0);
        train(group, sequence, sequence + 3);
        sequence += 3;
        for (int i = 0; i < 300 && answers(group).size() < 12; i++) {
          group.pass(group.job.retryNanos());
        }
        List<Scrubbed> found = answers(group);
        assertEquals(12, found.size());
        ScrubCluster.Sum sum = new ScrubCluster.Sum(found);
        assertEquals(0, sum.wrong, sum.toString());
        group.answers.clear();
      }
    }
  }

  /** Readers number their questions from 1 in each incarnation. */
  @Test
  void shouldNotTellAReaderWhatItToldAnEarlierOne() {
    try (ServerGroup group = group(OptimizerKind.SGD, RS)) {
      assertEquals(0, scrub(group, false).rows);
      train(group, 1, 30);
      PlacementMap map = TestJobs.map(group.job);
      List<Member> members =
          map.members().stream()
              .map(member -> member.node().equals(READER) ? new Member(READER, 301, "") : member)
              .toList();
      PlacementMap later = new PlacementMap(map.epoch().next(), map.sessionKey(), members);
      for (ServerCore core : group.cores) {
        core.onControl(new ServerControl.AdoptEpoch(later), group.nowNanos);
      }
      request = 0;
      assertEquals(ROWS / 2, scrub(group, false).rows);
    }
  }

  @Test
  void shouldPutDamagedRowsAndCountersRight() {
    for (int counterError : new int[] {0, 7}) {
      try (ServerGroup group = group(OptimizerKind.ADAM, RS)) {
        train(group, 1, 30);
        byte[] right = changes(group, 8);
        int counter = owner(group, 8).rows().counter(8);
        damage(group, 8, counterError);
        ScrubCluster.Sum found = scrub(group, false);
        assertEquals(List.of("2/2", "2/2"), found.members);
        assertEquals(2, found.located);
        ScrubCluster.Sum repaired = scrub(group, true);
        assertEquals(repaired.wrong, repaired.repaired, repaired.toString());
        assertEquals(0, scrub(group, false).wrong);
        assertEquals(
            -1, MemorySegment.ofArray(right).mismatch(MemorySegment.ofArray(changes(group, 8))));
        assertEquals(counter, owner(group, 8).rows().counter(8));
        train(group, 30, 40);
        assertEquals(0, scrub(group, false).wrong);
      }
    }
  }

  @Test
  void shouldPutADamagedParityRight() {
    try (ServerGroup group = group(OptimizerKind.ADAGRAD, RS)) {
      train(group, 1, 30);
      ServerCore holder = group.cores.get(group.map.serverOf(2, 4));
      MemorySegment parity = holder.parities().parity(holder.parities().placeOf(2));
      parity.set(ValueLayout.JAVA_INT, 12, ~parity.get(ValueLayout.JAVA_INT, 12));
      ScrubCluster.Sum found = scrub(group, true);
      assertEquals(List.of("2/4"), found.members);
      assertEquals(1, found.repaired);
      train(group, 30, 40);
      assertEquals(0, scrub(group, false).wrong);
    }
  }

  @Test
  void shouldFindADamagedCopyOfAnNnShard() throws RefusedException {
    try (ServerGroup group = group(OptimizerKind.ADAGRAD, RS)) {
      train(group, 1, 10);
      MemorySegment copy = group.cores.get(3).nn().replica(2, 2);
      copy.set(ValueLayout.JAVA_INT, 8, copy.get(ValueLayout.JAVA_INT, 8) ^ 1);
      ScrubCluster.Sum found = scrub(group, true);
      assertEquals(1, found.wrong, found.toString());
      assertTrue(found.members.getFirst().startsWith("2/"), found.toString());
    }
  }

  @Test
  void shouldRefuseToScrubWhatIsNotRedundant() {
    try (ServerGroup group =
        new ServerGroup(
            TestJobs.job(TestJobs.model(5, 50, 40), OptimizerKind.SGD, 1, 1, 1 << 20))) {
      group.send(READER, NodeId.server(0), new Scrub(1, ScrubKind.PARITIES, 0, 1, false));
      group.settle();
      assertInstanceOf(DataMessage.Refused.class, group.answers.getFirst());
    }
  }
}
