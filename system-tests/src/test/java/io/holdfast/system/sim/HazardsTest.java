package io.holdfast.system.sim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import io.holdfast.config.control.ControlMessage;
import io.holdfast.config.control.JobControl;
import io.holdfast.config.control.ServerControl;
import io.holdfast.config.job.JobSpec;
import io.holdfast.config.job.Redundancy;
import io.holdfast.config.job.SyncMode;
import io.holdfast.config.model.OptimizerKind;
import io.holdfast.config.placement.Backups;
import io.holdfast.config.placement.Member;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.placement.PlacementMap;
import io.holdfast.config.protocol.DataMessage;
import io.holdfast.config.protocol.Outbox;
import io.holdfast.config.protocol.Payload;
import io.holdfast.config.protocol.PeerMessage;
import io.holdfast.config.protocol.PeerMessage.Deltas;
import io.holdfast.config.protocol.PeerMessage.StreamItem;
import io.holdfast.config.protocol.RefusalReason;
import io.holdfast.config.protocol.ShardVersion;
import io.holdfast.config.protocol.StreamPosition;
import io.holdfast.config.protocol.TxId;
import io.holdfast.config.transport.Endpoint;
import io.holdfast.config.transport.MessageHandler;
import io.holdfast.recovery.JobOutcome.JobTrained;
import io.holdfast.recovery.Split;
import io.holdfast.recovery.TrainingData;
import io.holdfast.server.storage.RefusedException;
import io.holdfast.worker.SteppedWorker.Made;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/**
 * The interleavings that break a naive version of the write path, each played on purpose in a whole
 * cluster and named after its number in the list of hazards. Every one asserts that what it is
 * about has happened, and ends with all of the simulator's oracles.
 */
final class HazardsTest {
  private static final Logger OURS = (Logger) LoggerFactory.getLogger("io.holdfast");
  private static final long RETRY = Scenarios.RETRY_NANOS;
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
  private static Level levelBefore;

  @BeforeAll
  static void beQuiet() {
    levelBefore = OURS.getLevel();
    SimulateCommand.beQuiet();
  }

  @AfterAll
  static void beAsBefore() {
    OURS.setLevel(levelBefore);
  }

  private static Scenarios.JobBuilder job(int servers, int workers, Redundancy redundancy) {
    return new Scenarios.JobBuilder()
        .cluster(servers, workers)
        .redundancy(redundancy)
        .optimizer(OptimizerKind.ADAGRAD, 0.05f)
        .batch(3)
        .sync(SyncMode.ASYNC, 0, false, 2);
  }

  private static Scenario scenario(JobSpec job) {
    TrainingData data =
        TrainingData.ofPasses(List.of(new Split(0, 0, 30), new Split(0, 30, 60)), 1);
    return new Scenario(job, data, new SimModel(job, 5, 0, false), Faults.none(500));
  }

  private static SimCluster cluster(JobSpec job, Seams script) {
    return new SimCluster(scenario(job), 1, TraceLog.OFF, script);
  }

  /** Runs to the end, with all oracles. */
  private static void runAndCheck(SimCluster cluster) {
    cluster.run();
    Oracles.check(cluster);
  }

  /** What is to happen, and what has happened of it. */
  private abstract static class Script extends Seams {
    final Set<String> happened = new HashSet<>();

    /** True the first time that it is asked for a name. */
    boolean once(String what) {
      return happened.add(what);
    }
  }

  /**
   * Server 0 dies; a new process takes its place before anybody has noticed, under the same
   * address, with initial rows, and sends a difference to a holder and an acknowledgement to an
   * origin. Rule: identity is (id, incarnation); maps name incarnations, frames carry both ends'. A
   * new process owns nothing until an epoch names it.
   */
  @Test
  void hazard01ShouldNotTakeARestartedServerForItsPredecessor() {
    Script script =
        new Script() {
          @Override
          void applied(SimServer server, TxId tx) {
            if (server.index() == 0 && tx.sequence() == 4 && once("died")) {
              server.cluster.schedule.in(1, () -> restart(server));
            }
          }

          private void restart(SimServer dead) {
            NodeId node = dead.endpoint().self().node();
            SimCluster cluster = dead.cluster;
            List<Member> members = new ArrayList<>();
            cluster.servers().forEach(s -> members.add(s.endpoint().self()));
            cluster.kill(dead);
            Member amnesiac = new Member(node, 9_999, "");
            Endpoint endpoint = new Endpoint(amnesiac, cluster.network.open(node, 9_999, () -> {}));
            endpoint.adopt(new PlacementMap(dead.endpoint().epoch(), 42, members));
            long row = 0;
            while (cluster.stripes.serverOfRow(row) != 0) {
              row++;
            }
            int holder = cluster.stripes.serverOf(row / 2, 2);
            MemorySegment id = MemorySegment.ofArray(new byte[8]);
            id.set(ValueLayout.JAVA_LONG_UNALIGNED, 0, row);
            MemorySegment counter = MemorySegment.ofArray(new byte[4]);
            counter.set(ValueLayout.JAVA_INT_UNALIGNED, 0, 1);
            byte[] values = new byte[cluster.scenario().job().rowLayout().rowBytes()];
            values[0] = 1;
            long before = fenced(cluster, holder);
            endpoint.send(
                NodeId.server(holder),
                new Deltas(
                    new StreamPosition(1, 1, 0),
                    new TxId(NodeId.worker(0), 1, 1),
                    0,
                    false,
                    Payload.of(id),
                    Payload.of(counter),
                    Payload.of(MemorySegment.ofArray(values))));
            endpoint.send(NodeId.server(holder), new PeerMessage.StreamAck(1_000, false));
            cluster.schedule.in(
                2_000,
                () -> {
                  if (fenced(cluster, holder) >= before + 2) {
                    happened.add("refused");
                  }
                });
          }

          private long fenced(SimCluster cluster, int server) {
            return cluster.servers().get(server).endpoint().counters().fenced.sum();
          }
        };
    try (SimCluster cluster = cluster(job(4, 2, Redundancy.of("xor", 2, 1)).build(), script)) {
      runAndCheck(cluster);
    }
    assertEquals(Set.of("died", "refused"), script.happened);
  }

  /**
   * A worker dies and its successor at the same index begins again with sequence 1. Rule: a
   * transaction is (worker, incarnation, sequence), so the successor's is not swallowed as a
   * duplicate.
   */
  @Test
  void hazard01ShouldNotTakeARestartedWorkersTransactionForItsPredecessors() {
    JobSpec job = job(4, 2, Redundancy.of("xor", 2, 1)).build();
    Faults faults = new Faults(500, 0, 0, 0, 0, 0, 3, 0, false, 100_000);
    int both = 0;
    for (long seed = 1; seed <= 20; seed++) {
      Scenario scenario =
          new Scenario(job, scenario(job).data(), new SimModel(job, 5, 0, false), faults);
      try (SimCluster cluster = new SimCluster(scenario, seed, TraceLog.OFF, new Seams())) {
        runAndCheck(cluster);
        List<TxId> first =
            cluster.history.committed().stream()
                .map(Made::tx)
                .filter(tx -> tx.sequence() == 1 && tx.worker().equals(NodeId.worker(0)))
                .toList();
        both += first.size() > 1 ? 1 : 0;
      }
    }
    assertTrue(both > 0, "no successor committed its first transaction");
  }

  /**
   * A transaction's differences reach one holder of its rows and not another; then their owner
   * dies. Rule: the records say which (transaction, row) is folded where, so whoever sends the
   * transaction again can leave out exactly those.
   */
  @Test
  void hazard03ShouldRecordWhatIsFoldedByTransactionAndRow() {
    Script script =
        new Script() {
          private TxId tx;
          private int reached = -1;

          @Override
          void serverSends(SimServer server, NodeId to, DataMessage message, Outbox endpoint) {
            if (server.index() == 0 && message instanceof Deltas deltas) {
              if (tx == null && deltas.tx().sequence() >= 3 && distinctHolders(server, deltas)) {
                tx = deltas.tx();
                reached = to.index();
                server.cluster.schedule.in(2_000, () -> end(server));
              }
              if (tx != null && to.index() != reached) {
                return; // Never arrives.
              }
            }
            endpoint.send(to, message);
          }

          private boolean distinctHolders(SimServer server, Deltas deltas) {
            return server.cluster.history.of(deltas.tx()).rows().stream()
                    .filter(row -> server.cluster.stripes.serverOfRow(row) == 0)
                    .map(row -> server.cluster.stripes.serverOf(row / 2, 2))
                    .distinct()
                    .count()
                > 1;
          }

          private void end(SimServer server) {
            SimCluster cluster = server.cluster;
            cluster.kill(server);
            for (long row : cluster.history.of(tx).rows()) {
              if (cluster.stripes.serverOfRow(row) == 0) {
                int holder = cluster.stripes.serverOf(row / 2, 2);
                boolean has =
                    cluster.servers().get(holder).core().holder().records().contains(tx, row);
                assertEquals(holder == reached, has, "row " + row + " at server-" + holder);
                happened.add(has ? "folded" : "missing");
              }
            }
          }
        };
    try (SimCluster cluster = cluster(job(5, 2, Redundancy.of("xor", 2, 1)).build(), script)) {
      runAndCheck(cluster);
    }
    assertEquals(Set.of("folded", "missing"), script.happened);
  }

  /**
   * Everything is applied and folded, but the first answer to each commit is lost, and the worker
   * commits again. Rule: records of what is applied are kept until a watermark says that all
   * participants have answered; a commit that comes again is answered and does nothing.
   */
  @Test
  void hazard04ShouldNotApplyAgainWhatWasAppliedWhenItsAnswerWasLost() {
    Script script =
        new Script() {
          @Override
          void serverSends(SimServer server, NodeId to, DataMessage message, Outbox endpoint) {
            if (message instanceof DataMessage.Applied applied
                && once(server.index() + " " + applied.tx())) {
              return;
            }
            endpoint.send(to, message);
          }
        };
    try (SimCluster cluster = cluster(job(4, 2, Redundancy.of("xor", 2, 1)).build(), script)) {
      runAndCheck(cluster);
      assertTrue(script.happened.size() >= cluster.history.size(), "each was answered twice");
    }
  }

  /**
   * A worker decides, and dies when only one participant has heard of it and has applied it. Rule:
   * what one has applied is committed everywhere: records outlive the answer, until the worker is
   * settled.
   */
  @Test
  void hazard04ShouldCommitEverywhereWhatOneServerHasAppliedForADeadWorker() {
    Script script =
        new Script() {
          private TxId tx;

          @Override
          void workerSends(SimWorker worker, NodeId to, DataMessage message, Outbox endpoint) {
            if (message instanceof DataMessage.Commit commit
                && worker.self().index() == 0
                && commit.tx().sequence() == 3) {
              tx = commit.tx();
              if (to.index() != 1) {
                happened.add("not told " + to);
                return;
              }
            }
            endpoint.send(to, message);
          }

          @Override
          void applied(SimServer server, TxId each) {
            if (each.equals(tx) && server.index() == 1 && once("killed")) {
              SimCluster cluster = server.cluster;
              SimWorker worker =
                  cluster.workers().stream()
                      .filter(w -> w.incarnation == tx.incarnation())
                      .findFirst()
                      .orElseThrow();
              cluster.schedule.in(
                  1,
                  () -> {
                    cluster.kill(worker);
                    cluster.declareDead(worker);
                  });
            } else if (each.equals(tx)) {
              happened.add("applied by " + server.index());
            }
          }
        };
    try (SimCluster cluster = cluster(job(4, 2, Redundancy.of("xor", 2, 1)).build(), script)) {
      runAndCheck(cluster);
    }
    assertTrue(script.happened.contains("killed"));
    assertTrue(script.happened.contains("not told server-0"));
    assertTrue(script.happened.contains("applied by 0"), script.happened.toString());
  }

  /**
   * A worker has staged everywhere and is thought dead; the servers say that they know of no
   * decision and drop its parts; then it goes on and commits. Rule: servers are asked only after an
   * epoch fences its incarnation, and an answer is a promise to refuse it from then on.
   */
  @Test
  void hazard05ShouldRefuseAWorkerOnceItsServersHaveSaidThatTheyKnowOfNoDecision() {
    Script script =
        new Script() {
          private final List<Runnable> held = new ArrayList<>();
          private TxId tx;

          @Override
          void workerSends(SimWorker worker, NodeId to, DataMessage message, Outbox endpoint) {
            if (message instanceof DataMessage.Commit commit
                && worker.self().index() == 0
                && (commit.tx().sequence() == 3 || commit.tx().equals(tx))) {
              tx = commit.tx();
              held.add(() -> endpoint.send(to, commit));
              if (once("declared dead")) {
                worker.cluster.schedule.in(1, () -> worker.cluster.declareDead(worker));
                worker.cluster.schedule.in(
                    5 * RETRY,
                    () -> {
                      if (!worker.isDead()) {
                        held.forEach(Runnable::run);
                        happened.add("committed");
                      }
                    });
              }
              return;
            }
            endpoint.send(to, message);
          }

          @Override
          void applied(SimServer server, TxId each) {
            assertFalse(each.equals(tx), "applied by " + server);
          }

          @Override
          boolean isLost(SimProcess to, ControlMessage message) {
            // Nobody tells the worker to stop.
            boolean stops =
                message instanceof JobControl.Stop
                    || message instanceof JobControl.RegistrationRefused;
            return stops && tx != null && to.incarnation == tx.incarnation();
          }
        };
    JobSpec job = job(4, 2, Redundancy.of("xor", 2, 1)).build();
    try (SimCluster cluster = cluster(job, script)) {
      runAndCheck(cluster);
      assertTrue(cluster.refusedFrames() > 0);
    }
    assertEquals(Set.of("declared dead", "committed"), script.happened);
  }

  /**
   * A server applies a dead worker's transaction and dies too; a holder has folded its differences
   * and was no participant itself. Rule: whoever has folded anything of a transaction knows that it
   * is decided, and says so when it is asked.
   */
  @Test
  void hazard05ShouldKnowOfADecisionWhereItsDifferencesAreFolded() {
    Script script =
        new Script() {
          @Override
          void applied(SimServer server, TxId tx) {
            if (server.index() == 0 && tx.sequence() == 3 && once("killed")) {
              server.cluster.schedule.in(3_000, () -> end(server, tx));
            }
          }

          private void end(SimServer server, TxId tx) {
            SimCluster cluster = server.cluster;
            cluster.kill(server);
            for (long row : cluster.history.of(tx).rows()) {
              if (cluster.stripes.serverOfRow(row) == 0) {
                SimServer holder = cluster.servers().get(cluster.stripes.serverOf(row / 2, 2));
                assertTrue(
                    holder
                        .core()
                        .holder()
                        .records()
                        .decided(tx.worker(), tx.incarnation())
                        .contains(tx.sequence()));
                happened.add("known");
              }
            }
          }
        };
    try (SimCluster cluster = cluster(job(4, 2, Redundancy.of("xor", 2, 1)).build(), script)) {
      runAndCheck(cluster);
    }
    assertEquals(Set.of("killed", "known"), script.happened);
  }

  /**
   * With two parities, an owner's last differences reach one holder only; then it dies. Rule: a
   * holder keeps raw differences until the owner says that all holders have them; levelling brings
   * the others forward from these tails (the oracle does it here, as recovery will).
   */
  @Test
  void hazard09ShouldKeepInTailsWhatAnotherHolderMayLack() {
    Script script =
        new Script() {
          @Override
          void applied(SimServer server, TxId tx) {
            if (server.index() == 0 && tx.sequence() == 4 && once("cut")) {
              server.cluster.schedule.in(2_000, () -> server.cluster.kill(server));
            }
          }

          @Override
          void serverSends(SimServer server, NodeId to, DataMessage message, Outbox endpoint) {
            boolean late =
                message instanceof Deltas deltas
                    && server.index() == 0
                    && deltas.tx().sequence() >= 4;
            if (!late || to.index() == 1 || to.index() == 3) {
              endpoint.send(to, message);
            }
          }
        };
    try (SimCluster cluster = cluster(job(5, 1, Redundancy.of("rs", 2, 2)).build(), script)) {
      cluster.run();
      int lag = 0;
      int kept = 0;
      for (long row = 0; row < cluster.stripes.rows(); row++) {
        if (cluster.stripes.serverOfRow(row) == 0) {
          Map<Integer, Integer> counters = new TreeMap<>();
          for (int parity = 0; parity < 2; parity++) {
            SimServer holder = cluster.servers().get(cluster.stripes.serverOf(row / 2, 2 + parity));
            long place = holder.core().parities().placeOf(row / 2);
            counters.put(holder.index(), holder.core().parities().counter(place, (int) (row % 2)));
          }
          lag += Set.copyOf(counters.values()).size() > 1 ? 1 : 0;
        }
      }
      for (SimServer server : cluster.servers()) {
        if (!server.isDead()) {
          int[] count = {0};
          server.core().holder().tail(0, (row, counter, difference) -> count[0]++);
          kept += count[0];
        }
      }
      assertTrue(lag > 0, "no holder lags behind another");
      assertTrue(kept >= lag, kept + " differences are kept, " + lag + " rows lag");
      Oracles.check(cluster);
    }
  }

  /**
   * A worker and a server that it is committing to die together, before that server's part is
   * redundant. Rule: with witnesses a worker decides only when the part is at the owner's backups
   * too; so it is still there. Without them this is the one hole, and the documentation says so.
   */
  @Test
  void hazard10ShouldKeepAtWitnessesWhatDiesWithWorkerAndServer() {
    for (boolean witness : new boolean[] {true, false}) {
      Script script =
          new Script() {
            @Override
            void serverGets(
                SimServer server, NodeId from, DataMessage message, MessageHandler core) {
              if (message instanceof DataMessage.Commit commit
                  && server.index() == 0
                  && commit.tx().sequence() == 3
                  && once("died")) {
                SimCluster cluster = server.cluster;
                cluster.schedule.in(1, () -> end(cluster, server));
                return; // It dies with the commit in its hands.
              }
              core.onMessage(from, message);
            }

            private void end(SimCluster cluster, SimServer server) {
              cluster.kill(server);
              cluster.workers().forEach(cluster::kill);
              SimServer backup = cluster.servers().get(Backups.backup(0, 0, 4));
              if (backup.core().witnessBytes() > 0) {
                happened.add("kept");
              }
            }
          };
      Redundancy redundancy = Redundancy.of("xor", 2, 1).withWitness(witness);
      try (SimCluster cluster = cluster(job(4, 1, redundancy).build(), script)) {
        runAndCheck(cluster);
      }
      assertEquals(witness ? Set.of("died", "kept") : Set.of("died"), script.happened);
    }
  }

  /**
   * An epoch changes while differences are under way: the holder adopts it later than the origin,
   * and refuses them. Rule: refused is not consumed; a stream's numbering survives epochs, and the
   * origin sends again from the holder's position.
   */
  @Test
  void hazard12ShouldSendAgainWhatAnEpochRefused() {
    Script script =
        new Script() {
          @Override
          long lateNanos(SimProcess to, ControlMessage message) {
            boolean late =
                message instanceof ServerControl.AdoptEpoch
                    && to instanceof SimServer server
                    && server.index() == 2;
            return late ? 5_000 : 0;
          }
        };
    JobSpec job = job(4, 3, Redundancy.of("xor", 2, 1)).build();
    Faults faults = new Faults(500, 0, 0, 0, 0, 0, 3, 0, false, 60_000);
    long refused = 0;
    for (long seed = 1; seed <= 10; seed++) {
      Scenario scenario =
          new Scenario(job, scenario(job).data(), new SimModel(job, 5, 0, false), faults);
      try (SimCluster cluster = new SimCluster(scenario, seed, TraceLog.OFF, script)) {
        runAndCheck(cluster);
        refused += cluster.servers().get(2).endpoint().counters().staleEpoch.sum();
      }
    }
    assertTrue(refused > 0, "no frame came from a newer epoch");
  }

  /**
   * Updates that are not redundant yet must not be told to be. Rule: a server answers Applied only
   * when all holders have acknowledged; here acknowledgements are lost for a while, and no
   * transaction is acknowledged to a worker meanwhile.
   */
  @Test
  void hazard13ShouldAnswerAppliedOnlyOnceHoldersHaveAcknowledged() {
    Script script =
        new Script() {
          private long silentUntil;

          @Override
          void applied(SimServer server, TxId tx) {
            if (tx.sequence() == 4 && once("silent")) {
              silentUntil = server.cluster.schedule.nowNanos() + 5 * RETRY;
            }
          }

          private boolean silent(SimServer server) {
            return server.cluster.schedule.nowNanos() < silentUntil;
          }

          @Override
          void serverGets(SimServer server, NodeId from, DataMessage message, MessageHandler core) {
            if (message instanceof PeerMessage.StreamAck && silent(server)) {
              happened.add("lost");
              return;
            }
            core.onMessage(from, message);
          }

          @Override
          void serverSends(SimServer server, NodeId to, DataMessage message, Outbox endpoint) {
            if (message instanceof DataMessage.Applied applied && silent(server)) {
              // Only what was acknowledged before, or has nothing that anybody else keeps.
              Made made = server.cluster.history.of(applied.tx());
              boolean rows =
                  made.rows().stream()
                      .anyMatch(row -> server.cluster.stripes.serverOfRow(row) == server.index());
              boolean applies = server.cluster.history.isApplied(server.index(), applied.tx());
              assertFalse(
                  applies && rows && applied.tx().sequence() > 5, "told too early: " + applied);
            }
            endpoint.send(to, message);
          }
        };
    try (SimCluster cluster = cluster(job(4, 1, Redundancy.of("xor", 2, 1)).build(), script)) {
      runAndCheck(cluster);
    }
    assertEquals(Set.of("silent", "lost"), script.happened);
  }

  /**
   * A worker that keeps what it pulled must not take another primary's eighth version for the one
   * that it knows. Rule: a version is (primary's epoch, counter), compared for equality; backups
   * keep it as the primary made it.
   */
  @Test
  void hazard14ShouldKeepTheWholeVersionAtBackups() throws RefusedException {
    JobSpec job = job(4, 2, Redundancy.of("xor", 2, 1).withNnReplicas(2)).build();
    try (SimCluster cluster = cluster(job, new Seams())) {
      runAndCheck(cluster);
      for (int shard = 0; shard < cluster.shards.count(); shard++) {
        int primary = cluster.shards.primary(shard);
        ShardVersion version = cluster.servers().get(primary).core().nn().version(shard);
        assertTrue(version.counter() > 0);
        for (int copy = 0; copy < 2; copy++) {
          SimServer backup = cluster.servers().get(Backups.backup(primary, copy, 4));
          assertEquals(version, backup.core().nn().replicaVersion(primary, shard));
        }
      }
    }
  }

  /** Gradients that are no ordinary numbers. */
  private static Script poison(float... values) {
    return new Script() {
      @Override
      void computed(
          SimWorker worker, long[] rows, MemorySegment gradients, MemorySegment nnGradients) {
        if (once("poisoned")) {
          for (int i = 0; i < values.length; i++) {
            gradients.set(FLOAT, 4L * i, values[i]);
          }
        }
      }
    };
  }

  private static final float[] STRANGE = {
    -0.0f, Float.intBitsToFloat(0x7fc12345), Float.NEGATIVE_INFINITY, Float.MIN_VALUE
  };

  /**
   * Rows hold NaN, infinities and negative zeros. Rule: differences are made of raw bits, never of
   * values; initial rows and optimizers round the same everywhere. Then they come back bit for bit.
   */
  @Test
  void hazard15ShouldDecodeStrangeFloatsBitForBit() {
    for (Redundancy redundancy : List.of(Redundancy.of("xor", 3, 1), Redundancy.of("rs", 2, 2))) {
      Script script = poison(STRANGE);
      try (SimCluster cluster = cluster(job(5, 2, redundancy).build(), script)) {
        runAndCheck(cluster);
        assertTrue(
            cluster.servers().stream()
                .flatMap(s -> Memory.rows(cluster.scenario().job(), s.core()).values().stream())
                .anyMatch(row -> Float.isNaN(row.values().get(FLOAT, 4))),
            "no row holds a NaN");
      }
    }
  }

  /**
   * The same under the float sum. Rule: it is over new - old, zero at start, and it cannot bear
   * what is no number: that stripe's parity is lost, and the check says so; all other stripes keep
   * theirs.
   */
  @Test
  void hazard16ShouldTellThatANanPoisonsItsStripeOfTheFloatSum() {
    Script script = poison(STRANGE);
    JobSpec job = job(5, 2, Redundancy.of("sum", 3, 1)).build();
    try (SimCluster cluster = cluster(job, script)) {
      cluster.run();
      BrokenInvariant told = assertThrows(BrokenInvariant.class, () -> Oracles.check(cluster));
      assertEquals(Oracle.DECODE, told.oracle());
      assertTrue(told.getMessage().contains("NaN"), told.getMessage());
      int poisoned = 0;
      int sound = 0;
      for (long stripe = 0; stripe < cluster.stripes.stripes(); stripe++) {
        SimServer holder = cluster.servers().get(cluster.stripes.serverOf(stripe, 3));
        long place = holder.core().parities().placeOf(stripe);
        MemorySegment parity = holder.core().parities().parity(place);
        boolean nan = false;
        for (long at = 0; at < parity.byteSize(); at += 4) {
          nan |= Float.isNaN(parity.get(FLOAT, at));
        }
        poisoned += nan ? 1 : 0;
        sound += nan ? 0 : 1;
      }
      assertEquals(1, poisoned);
      assertTrue(sound > 5);
    }
  }

  /**
   * Everybody's streams are full: the window is a byte, and links refuse nearly everything for a
   * while. Rule: nobody blocks; what arrives is always handled, only a new Stage is refused (BUSY),
   * never a Commit. So it ends.
   */
  @Test
  void hazard17ShouldPushBackAtStageOnlyAndSoNeverStandStill() {
    JobSpec job = job(3, 4, Redundancy.of("xor", 2, 1).withWindowBytes(1)).build();
    Faults faults = new Faults(5_000, 0, 0.1, 0.9, 0, 0, 0, 0, false, 200_000);
    Scenario scenario =
        new Scenario(job, scenario(job).data(), new SimModel(job, 5, 0, false), faults);
    Script script =
        new Script() {
          @Override
          void serverSends(SimServer server, NodeId to, DataMessage message, Outbox endpoint) {
            if (message instanceof DataMessage.Refused refused
                && refused.reason() == RefusalReason.BUSY) {
              happened.add("busy");
            }
            endpoint.send(to, message);
          }
        };
    for (long seed = 1; seed <= 5; seed++) {
      try (SimCluster cluster = new SimCluster(scenario, seed, TraceLog.OFF, script)) {
        runAndCheck(cluster);
        assertTrue(cluster.outcome() instanceof JobTrained);
      }
    }
    assertEquals(Set.of("busy"), script.happened);
  }

  /**
   * Frames from one server to another are lost, all of them, while both are alive for everybody
   * else. Rule: the age of the oldest difference that nobody has acknowledged is told, so that
   * somebody can act; and when the way is open again, the stream goes on where it stood.
   */
  @Test
  void hazard18ShouldTellHowOldTheOldestUnacknowledgedDifferenceIs() {
    long cut = 20 * RETRY;
    Script script =
        new Script() {
          private long until;

          @Override
          void applied(SimServer server, TxId tx) {
            if (server.index() == 0 && tx.sequence() == 3 && once("cut")) {
              SimCluster cluster = server.cluster;
              until = cluster.schedule.nowNanos() + cut;
              cluster.schedule.at(
                  until,
                  () -> {
                    if (server.core().origin().oldestUnacknowledgedNanos() > cut - 2 * RETRY) {
                      happened.add("told");
                    }
                  });
            }
          }

          @Override
          void serverSends(SimServer server, NodeId to, DataMessage message, Outbox endpoint) {
            boolean lost =
                message instanceof StreamItem
                    && server.index() == 0
                    && to.index() == 1
                    && server.cluster.schedule.nowNanos() < until;
            if (!lost) {
              endpoint.send(to, message);
            }
          }
        };
    // Server 0's only holder is server 1: one stripe member each.
    try (SimCluster cluster = cluster(job(2, 2, Redundancy.of("xor", 1, 1)).build(), script)) {
      runAndCheck(cluster);
      assertTrue(cluster.servers().getFirst().core().origin().unacknowledgedNanosMax() >= cut / 2);
    }
    assertEquals(Set.of("cut", "told"), script.happened);
  }
}
