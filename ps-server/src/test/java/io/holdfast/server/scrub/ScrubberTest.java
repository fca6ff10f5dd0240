package io.holdfast.server.scrub;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.config.job.Redundancy;
import io.holdfast.config.protocol.DataMessage;
import io.holdfast.config.protocol.RefusalReason;
import io.holdfast.server.scrub.ScrubCluster.Server;
import io.holdfast.server.scrub.ScrubCluster.Sum;
import io.holdfast.server.storage.RefusedException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ScrubberTest {
  private static final int ROWS = 400;
  private static final Redundancy RS = Redundancy.of("rs", 3, 2);
  private static final Redundancy XOR = Redundancy.of("xor", 3, 1);

  private static ScrubCluster trained(long seed, Redundancy redundancy) {
    ScrubCluster cluster = new ScrubCluster(seed, 6, redundancy, ROWS);
    cluster.train(600);
    return cluster;
  }

  /** An updated row. */
  private static long someRow(ScrubCluster cluster) {
    while (true) {
      long row = 2L * cluster.random.nextInt(ROWS / 2);
      if (owner(cluster, row).counter(row) > 0) {
        return row;
      }
    }
  }

  private static Server owner(ScrubCluster cluster, long row) {
    return cluster.servers.get(cluster.map.serverOfRow(row));
  }

  private static void flip(MemorySegment memory, long at) {
    memory.set(ValueLayout.JAVA_BYTE, at, (byte) (memory.get(ValueLayout.JAVA_BYTE, at) ^ 8));
  }

  private static void flipRow(ScrubCluster cluster, long row) {
    flip(owner(cluster, row).rows, cluster.map.indexOfRow(row) * cluster.rowBytes + 9);
  }

  /** Damages a parity of a row's stripe and returns its member's name. */
  private static String flipParity(ScrubCluster cluster, long row, int parity) {
    long stripe = row / cluster.map.k();
    Server holder = cluster.servers.get(cluster.map.serverOf(stripe, cluster.map.k() + parity));
    flip(holder.parities, cluster.map.indexOfParity(stripe, parity) * cluster.rowBytes + 3);
    return stripe + "/" + (cluster.map.k() + parity);
  }

  private static String name(ScrubCluster cluster, long row) {
    return row / cluster.map.k() + "/" + row % cluster.map.k();
  }

  private static void requireConsistent(ScrubCluster cluster) {
    cluster.settle();
    List<String> problems = new ArrayList<>();
    cluster.requireConsistent(problems::add);
    assertEquals(List.of(), problems);
  }

  @ParameterizedTest
  @CsvSource({"xor,1,1", "xor,4,1", "rs,1,2", "rs,3,2", "rs,2,3", "rs,4,1", "sum,4,1", "sum,1,1"})
  void shouldFindNothingWrongWhileEverythingChanges(String code, int k, int r) {
    for (int seed = 0; seed < 10; seed++) {
      try (ScrubCluster cluster =
          new ScrubCluster(seed, 6, Redundancy.of(code, k, r).withNnReplicas(2), ROWS)) {
        cluster.train(200);
        cluster.training = true;
        cluster.losses = seed % 2 == 0 ? 0 : 0.1;
        Sum sum = cluster.scrub(seed % 3 == 0);
        assertEquals(0, sum.wrong, sum.toString());
        assertTrue(sum.rows > ROWS / 4, sum.toString());
        assertTrue(sum.rows <= ROWS / 2, "rows that were never updated do not count: " + sum);
        cluster.settle();
      }
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldLocateAndRepairADamagedRow(boolean training) {
    for (int seed = 0; seed < 20; seed++) {
      try (ScrubCluster cluster = trained(seed, RS)) {
        long row = someRow(cluster);
        byte[] right = bytes(cluster, row);
        flipRow(cluster, row);
        cluster.training = training;
        Sum found = cluster.scrub(false);
        assertEquals(2, found.wrong, "both parities do not fit: " + found);
        assertEquals(2, found.located, found.toString());
        assertEquals(0, found.repaired, found.toString());
        assertEquals(List.of(name(cluster, row), name(cluster, row)), found.members);
        Sum repaired = cluster.scrub(true);
        assertTrue(repaired.wrong >= 1 && repaired.repaired == repaired.wrong, "" + repaired);
        assertEquals(0, cluster.scrub(true).wrong);
        if (!training) {
          assertEquals(
              -1,
              MemorySegment.ofArray(right).mismatch(MemorySegment.ofArray(bytes(cluster, row))));
        }
        requireConsistent(cluster);
      }
    }
  }

  private static byte[] bytes(ScrubCluster cluster, long row) {
    return owner(cluster, row)
        .rows
        .asSlice(cluster.map.indexOfRow(row) * cluster.rowBytes, cluster.rowBytes)
        .toArray(ValueLayout.JAVA_BYTE);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void shouldLocateAndRepairADamagedParity(boolean training) {
    for (int seed = 0; seed < 20; seed++) {
      try (ScrubCluster cluster = trained(seed, RS)) {
        String parity = flipParity(cluster, someRow(cluster), seed % 2);
        cluster.training = training;
        Sum found = cluster.scrub(true);
        assertEquals(1, found.wrong, found.toString());
        assertEquals(1, found.located, found.toString());
        assertEquals(1, found.repaired, found.toString());
        assertEquals(List.of(parity), found.members);
        requireConsistent(cluster);
      }
    }
  }

  @Test
  void shouldLocateAndRepairDamagedCounters() {
    for (int seed = 0; seed < 20; seed++) {
      try (ScrubCluster cluster = trained(seed, RS)) {
        long row = someRow(cluster);
        Server owner = owner(cluster, row);
        // Every other time the row claims that it was never updated.
        int damage = seed % 2 == 0 ? owner.counter(row) : -1000;
        owner.rowCounters[(int) cluster.map.indexOfRow(row)] -= damage;
        long other = someRow(cluster);
        while (other / 3 == row / 3) {
          other = someRow(cluster);
        }
        Server holder = cluster.servers.get(cluster.map.serverOf(other / 3, 4));
        long place = cluster.map.indexOfParity(other / 3, 1);
        holder.parityCounters[(int) place * 3 + (int) (other % 3)] += 5;
        Sum found = cluster.scrub(true);
        assertEquals(found.wrong, found.repaired, found.toString());
        assertTrue(found.members.contains(name(cluster, row)), found.toString());
        assertTrue(found.members.contains(other / 3 + "/4"), found.toString());
        requireConsistent(cluster);
      }
    }
  }

  @Test
  void shouldRepairManyDamagedStripesAtOnce() {
    try (ScrubCluster cluster = trained(3, RS)) {
      int damaged = 0;
      for (long row = 0; row < ROWS; row += 6) {
        if (owner(cluster, row).counter(row) > 0) {
          flipRow(cluster, row);
          damaged++;
        }
      }
      Sum found = cluster.scrub(false);
      assertEquals(2L * damaged, found.located, found.toString());
      Sum repaired = cluster.scrub(true);
      assertEquals(repaired.wrong, repaired.repaired, repaired.toString());
      requireConsistent(cluster);
    }
  }

  @Test
  void shouldFindButNotLocateWithOneParity() {
    for (Redundancy one : List.of(XOR, Redundancy.of("rs", 3, 1), Redundancy.of("xor", 1, 1))) {
      try (ScrubCluster cluster = trained(1, one)) {
        long row = someRow(cluster);
        flipRow(cluster, row);
        Sum found = cluster.scrub(true);
        assertEquals(1, found.wrong, found.toString());
        assertEquals(0, found.located, found.toString());
        assertEquals(0, found.repaired, found.toString());
        assertEquals(List.of(row / one.k() + "/-1"), found.members);
      }
    }
  }

  @Test
  void shouldNotBlameAnybodyForTwoFaultsInAStripe() {
    try (ScrubCluster cluster = trained(2, RS)) {
      long row = 0;
      while (owner(cluster, row).counter(row) == 0
          || owner(cluster, row + 2).counter(row + 2) == 0
          || row / 3 != (row + 2) / 3) {
        row += 2;
      }
      flipRow(cluster, row);
      flip(owner(cluster, row + 2).rows, cluster.map.indexOfRow(row + 2) * cluster.rowBytes + 21);
      Sum found = cluster.scrub(true);
      assertEquals(2, found.wrong, found.toString());
      assertEquals(0, found.located, found.toString());
    }
  }

  @Test
  void shouldFindDamageThatIsLargerThanAFloatSumsRounding() {
    try (ScrubCluster cluster = trained(5, Redundancy.of("sum", 3, 1))) {
      Sum clean = cluster.scrub(false);
      assertEquals(0, clean.wrong, clean.toString());
      assertTrue(clean.deviation > 0, "sums round: " + clean);
      long row = someRow(cluster);
      long at = cluster.map.indexOfRow(row) * cluster.rowBytes;
      owner(cluster, row).rows.set(ValueLayout.JAVA_FLOAT_UNALIGNED, at, 50f);
      Sum found = cluster.scrub(true);
      assertEquals(1, found.wrong, found.toString());
      assertTrue(found.deviation > 0.1, found.toString());
      owner(cluster, row).rows.set(ValueLayout.JAVA_FLOAT_UNALIGNED, at, Float.NaN);
      assertEquals(1, cluster.scrub(true).wrong);
    }
  }

  @Test
  void shouldFindAParityThatMissedEveryDifference() {
    try (ScrubCluster cluster = trained(6, XOR)) {
      long row = someRow(cluster);
      long stripe = row / 3;
      Server holder = cluster.servers.get(cluster.map.serverOf(stripe, 3));
      long place = cluster.map.indexOfParity(stripe, 0);
      holder.replace(
          place, MemorySegment.ofArray(new byte[cluster.rowBytes]), 0, new int[] {0, 0, 0});
      assertEquals(List.of(stripe + "/-1"), cluster.scrub(false).members);
    }
  }

  @Test
  void shouldFindADamagedCopyOfAnNnShard() {
    try (ScrubCluster cluster = trained(7, XOR)) {
      int shard = 1;
      Server backup =
          cluster.servers.stream().filter(server -> server.isKept(shard)).findFirst().get();
      flip(backup.values(shard), 33);
      Sum found = cluster.scrub(true);
      assertEquals(1, found.wrong, found.toString());
      assertTrue(found.members.getFirst().startsWith(shard + "/"), found.toString());
      flip(backup.values(shard), 33);
      backup.shardUpdates[shard]++;
      assertEquals(1, cluster.scrub(true).wrong);
    }
  }

  @Test
  void shouldFindAndRepairByItselfAtItsRate() {
    try (ScrubCluster cluster = trained(8, RS.withScrub(100))) {
      flipRow(cluster, someRow(cluster));
      long perTick = 0;
      for (int tick = 0; tick < 400; tick++) {
        cluster.pass(10_000_000L);
        cluster.settle();
      }
      for (Server server : cluster.servers) {
        perTick = Math.max(perTick, server.scrubber.stripesSeen());
      }
      // Four seconds, the first of which it waits.
      assertTrue(perTick > 200 && perTick <= 300 + 25, "stripes seen: " + perTick);
      long wrong = cluster.servers.stream().mapToLong(each -> each.scrubber.wrongSeen()).sum();
      long repaired =
          cluster.servers.stream().mapToLong(each -> each.scrubber.repairedSeen()).sum();
      assertTrue(wrong >= 1, "found");
      assertEquals(wrong, repaired);
      requireConsistent(cluster);
    }
  }

  @Test
  void shouldNotScrubByItselfAtRateZero() {
    try (ScrubCluster cluster = trained(9, RS)) {
      for (int tick = 0; tick < 400; tick++) {
        cluster.pass(10_000_000L);
        cluster.settle();
      }
      assertEquals(0, cluster.servers.getFirst().scrubber.stripesSeen());
    }
  }

  @Test
  void shouldAnswerARepeatedQuestionAsBefore() throws RefusedException {
    try (ScrubCluster cluster = trained(10, RS)) {
      flipParity(cluster, someRow(cluster), 0);
      Sum first = cluster.scrub(true);
      assertEquals(1, first.repaired);
      DataMessage.Scrubbed told =
          cluster.answers.stream().filter(answer -> answer.wrong() == 1).findFirst().get();
      cluster.answers.clear();
      for (Server server : cluster.servers) {
        server.scrubber.onScrub(
            ScrubCluster.READER,
            1,
            new DataMessage.Scrub(
                told.request(),
                DataMessage.ScrubKind.PARITIES,
                0,
                cluster.map.parityCapacity(),
                true),
            cluster.nowNanos);
        cluster.settle();
      }
      assertTrue(
          cluster.answers.stream().anyMatch(answer -> answer.repaired() == 1),
          "the repair is told again");
    }
  }

  @Test
  void shouldRefuseWhatItDoesNotHave() {
    try (ScrubCluster cluster = trained(11, RS)) {
      long end = cluster.map.parityCapacity();
      for (long[] range : new long[][] {{-1, 1}, {0, 0}, {2, 1}, {0, end + 1}}) {
        RefusedException refused =
            assertThrows(
                RefusedException.class,
                () ->
                    cluster
                        .servers
                        .getFirst()
                        .scrubber
                        .onScrub(
                            ScrubCluster.READER,
                            1,
                            new DataMessage.Scrub(
                                1, DataMessage.ScrubKind.PARITIES, range[0], range[1], false),
                            0));
        assertEquals(RefusalReason.MALFORMED, refused.reason());
      }
    }
  }
}
