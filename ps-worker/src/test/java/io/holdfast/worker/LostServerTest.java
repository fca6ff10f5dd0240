package io.holdfast.worker;

import static io.holdfast.worker.ScriptedWorker.INCARNATION;
import static io.holdfast.worker.ScriptedWorker.NODE;
import static io.holdfast.worker.ScriptedWorker.lease;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.config.control.WorkerControl.CommitGranted;
import io.holdfast.config.control.WorkerControl.StepOpened;
import io.holdfast.config.control.WorkerControl.StepReady;
import io.holdfast.config.job.JobSpec;
import io.holdfast.config.job.StandIns;
import io.holdfast.config.job.SyncMode;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.protocol.DataMessage;
import io.holdfast.config.protocol.Participants;
import io.holdfast.config.protocol.Payload;
import io.holdfast.config.protocol.RefusalReason;
import io.holdfast.worker.ScriptedWorker.Sent;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A worker whose servers die. Four servers, two rows and one parity to a stripe. */
final class LostServerTest {
  private static final long RETRY = 1_000_000;
  private static final int LOST = 1;
  private static final int DEPUTY = 2;

  /** So many floats that all of the NN is one shard, server 0's. */
  private static final int ONE_SHARD = 1 << 20;

  private ScriptedWorker worker = new ScriptedWorker(job(SyncMode.ASYNC, false, false, false));

  private static JobSpec job(
      SyncMode sync, boolean deterministic, boolean onePhase, boolean witness) {
    return TestJobs.redundant(sync, deterministic, onePhase, witness, 64);
  }

  private void restart(JobSpec job, int... lost) {
    worker.close();
    worker = new ScriptedWorker(job, lost);
  }

  @AfterEach
  void close() {
    worker.close();
  }

  private StandIns without() {
    return TestJobs.standIns(worker.job, LOST);
  }

  private int owner(long row) {
    return worker.job.stripeMap().serverOfRow(row);
  }

  /** All rows. */
  private static int[] all() {
    return IntStream.range(0, 100).toArray();
  }

  private static int[][] samples(int... rows) {
    return IntStream.of(rows).mapToObj(row -> new int[] {row}).toArray(int[][]::new);
  }

  /** Parts that a lost server's rows, shards and record have, by the server that gets them. */
  private Set<Integer> standInsFor(int[] rows) {
    TreeSet<Integer> hosts = new TreeSet<>(Set.of(DEPUTY));
    IntStream.of(rows).filter(row -> owner(row) == LOST).forEach(row -> hosts.add(host(row)));
    return hosts;
  }

  private int host(long row) {
    return without().ofRow(row);
  }

  private static long[] longs(Payload ids) {
    long[] values = new long[(int) (ids.lengthBytes() / Long.BYTES)];
    ids.writeTo(MemorySegment.ofArray(values), 0);
    return values;
  }

  private static float[] floats(Payload payload) {
    float[] values = new float[(int) (payload.lengthBytes() / Float.BYTES)];
    payload.writeTo(MemorySegment.ofArray(values), 0);
    return values;
  }

  /** A server's answer to a pull: all floats of a row are its id. */
  private void answer(Sent sent) {
    if (sent.message() instanceof DataMessage.Pull pull) {
      int dim = worker.job.model().dim();
      long[] ids = longs(pull.rows());
      float[] values = new float[ids.length * dim];
      for (int i = 0; i < values.length; i++) {
        values[i] = ids[i / dim];
      }
      worker.message(
          sent.to(),
          new DataMessage.Rows(pull.request(), Payload.of(MemorySegment.ofArray(values))));
    } else {
      worker.answer(List.of(sent));
    }
  }

  /** From a pending read to a transaction whose gradients, of a row, are its id. */
  private void train(long from, int... rows) {
    worker.read(from, from + 10, 0, samples(rows));
    compute();
  }

  private void compute() {
    worker.takeSent().forEach(this::answer);
    Iteration iteration = worker.computes.element();
    for (int i = 0; i < iteration.parameterGradients.byteSize() / Float.BYTES; i++) {
      iteration.parameterGradients.setAtIndex(ValueLayout.JAVA_FLOAT, i, i);
    }
    worker.compute();
  }

  private void begin(int... rows) {
    worker.grant(lease(1, 0, 100, Long.MAX_VALUE));
    train(0, rows);
  }

  private record Key(int at, int owner) {}

  /** A part, put together from its messages. */
  private static final class Part {
    final List<Integer> numbers = new ArrayList<>();
    final Set<Integer> declared = new HashSet<>();
    final Set<Participants> participants = new HashSet<>();
    final Map<Long, Float> rows = new TreeMap<>();
    final Set<Integer> shards = new TreeSet<>();

    void check() {
      assertEquals(Set.of(numbers.size()), declared);
      assertEquals(IntStream.range(0, numbers.size()).boxed().toList(), numbers);
    }
  }

  private Map<Key, Part> parts(List<Sent> sent) {
    Map<Key, Part> parts = new HashMap<>();
    int dim = worker.job.model().dim();
    for (Sent each : sent) {
      if (!(each.message() instanceof DataMessage.Stage stage)) {
        continue;
      }
      Key key = new Key(each.to().index(), stage.header().owner());
      Part part = parts.computeIfAbsent(key, none -> new Part());
      part.numbers.add(stage.header().part());
      part.declared.add(stage.header().parts());
      part.participants.add(stage.participants());
      switch (stage) {
        case DataMessage.StageRows rows -> {
          long[] ids = longs(rows.rows());
          float[] gradients = floats(rows.gradients());
          assertEquals(ids.length * dim, gradients.length);
          for (int i = 0; i < ids.length; i++) {
            assertNull(part.rows.put(ids[i], gradients[i * dim]), "row " + ids[i] + " twice");
            assertEquals((float) ids[i], gradients[i * dim]);
            assertEquals((float) ids[i], gradients[(i + 1) * dim - 1]);
          }
        }
        case DataMessage.StageShard shard -> {
          assertTrue(part.shards.add(shard.shard()));
          assertEquals(
              worker.job.nnShards().from(shard.shard()), floats(shard.gradients())[0], "shard");
        }
      }
    }
    parts.values().forEach(Part::check);
    return parts;
  }

  private static Set<Key> commits(List<Sent> sent) {
    Set<Key> keys = new HashSet<>();
    for (Sent each : sent) {
      if (each.message() instanceof DataMessage.Commit commit) {
        assertTrue(keys.add(new Key(each.to().index(), commit.owner())));
      }
    }
    return keys;
  }

  private static Set<Key> own(int... servers) {
    Set<Key> keys = new HashSet<>();
    IntStream.of(servers).forEach(server -> keys.add(new Key(server, server)));
    return keys;
  }

  private Set<Key> ofLost(int... rows) {
    Set<Key> keys = new HashSet<>();
    standInsFor(rows).forEach(host -> keys.add(new Key(host, LOST)));
    return keys;
  }

  private static Set<Key> and(Set<Key> some, Set<Key> others) {
    Set<Key> keys = new HashSet<>(some);
    keys.addAll(others);
    return keys;
  }

  private void staged(Set<Key> keys, long sequence) {
    keys.forEach(key -> worker.staged(key.at(), key.owner(), sequence));
  }

  private void applied(Set<Key> keys, long sequence) {
    keys.forEach(key -> worker.applied(key.at(), key.owner(), sequence));
  }

  /** Parts of the lost server hold what they should, and only that. */
  private void checkLostParts(Map<Key, Part> parts, int... rows) {
    Set<Integer> shards = new TreeSet<>();
    for (int shard = LOST; shard < worker.job.nnShards().count(); shard += 4) {
      shards.add(shard);
    }
    assertTrue(!shards.isEmpty() || worker.job.nnShardFloats() == ONE_SHARD);
    for (int host : standInsFor(rows)) {
      Part part = parts.get(new Key(host, LOST));
      Set<Long> expected = new TreeSet<>();
      for (int row : rows) {
        if (owner(row) == LOST && host(row) == host) {
          expected.add((long) row);
        }
      }
      assertEquals(expected, part.rows.keySet(), "rows at server-" + host);
      assertEquals(host == DEPUTY ? shards : Set.of(), part.shards, "shards at server-" + host);
    }
  }

  @Test
  void shouldSpreadTheLostRowsOverSeveralStandIns() {
    // Else the other tests show little.
    assertEquals(Set.of(0, 2, 3), standInsFor(all()));
    assertEquals(DEPUTY, without().deputy(LOST));
  }

  // Pulling.

  @Test
  void shouldAskStandInsForWhatALostServerDidNotTell() {
    worker.grant(lease(1, 0, 100, Long.MAX_VALUE));
    worker.read(0, 10, 0, samples(all()));
    List<Sent> pulls = worker.takeSent();
    List<Sent> toLost = pulls.stream().filter(each -> each.to().index() == LOST).toList();
    Sent told =
        toLost.stream().filter(each -> each.message() instanceof DataMessage.Pull).findAny().get();
    answer(told);
    pulls.stream().filter(each -> each.to().index() == 0).forEach(this::answer);
    worker.epochWithout(LOST);
    List<Sent> again = worker.takeSent();

    Set<Long> missing = new TreeSet<>();
    Set<Integer> shards = new TreeSet<>();
    for (Sent each : toLost) {
      switch (each.message()) {
        case DataMessage.Pull pull when !each.equals(told) ->
            LongStream.of(longs(pull.rows())).forEach(missing::add);
        case DataMessage.PullShard pull -> shards.add(pull.shard());
        default -> {
          // Was told.
        }
      }
    }
    assertFalse(missing.isEmpty() || shards.isEmpty());
    Set<Long> before = new HashSet<>();
    pulls.forEach(each -> before.add(request(each.message())));
    Set<Long> asked = new TreeSet<>();
    for (Sent each : again) {
      assertNotEquals(LOST, each.to().index());
      if (pulls.contains(each)) {
        continue;
      }
      if (each.message() instanceof DataMessage.Pull pull && owner(longs(pull.rows())[0]) == LOST) {
        assertTrue(pull.count() <= 4, "rows: " + pull.count());
        assertFalse(before.contains(pull.request()), "a number that meant something else");
        for (long row : longs(pull.rows())) {
          assertEquals(host(row), each.to().index(), "row " + row);
          assertEquals(LOST, owner(row), "owners are not mixed");
          assertTrue(asked.add(row));
        }
      } else if (each.message() instanceof DataMessage.PullShard pull
          && worker.job.nnShards().primary(pull.shard()) == LOST) {
        assertEquals(DEPUTY, each.to().index());
        assertFalse(before.contains(pull.request()));
        assertTrue(shards.remove(pull.shard()));
      }
    }
    assertEquals(missing, asked);
    assertEquals(Set.of(), shards);

    toLost.forEach(this::answer);
    assertEquals(0, worker.computes.size(), "what the lost one says is too late");
    pulls.stream()
        .filter(each -> each.to().index() != LOST)
        .forEach(this::answer); // Under the old numbers.
    assertEquals(0, worker.computes.size());
    again.forEach(this::answer);
    checkPulled();
  }

  private static long request(DataMessage message) {
    return switch (message) {
      case DataMessage.Pull pull -> pull.request();
      case DataMessage.PullShard pull -> pull.request();
      default -> throw new AssertionError(message.toString());
    };
  }

  private void checkPulled() {
    assertEquals(1, worker.computes.size());
    Iteration iteration = worker.computes.element();
    int dim = worker.job.model().dim();
    assertEquals(100, iteration.plan.unique());
    for (int i = 0; i < 100 * dim; i++) {
      assertEquals(
          (float) iteration.plan.rows()[i / dim],
          iteration.rowValues().getAtIndex(ValueLayout.JAVA_FLOAT, i));
    }
  }

  @Test
  void shouldPullFromStandInsWhileAServerIsLost() {
    restart(worker.job, LOST);
    worker.grant(lease(1, 0, 100, Long.MAX_VALUE));
    worker.read(0, 10, 0, samples(all()));
    List<Sent> pulls = worker.takeSent();
    for (Sent each : pulls) {
      if (each.message() instanceof DataMessage.Pull pull) {
        long[] rows = longs(pull.rows());
        for (long row : rows) {
          assertEquals(owner(rows[0]), owner(row), "owners are not mixed");
          assertEquals(host(row), each.to().index());
        }
      } else if (each.message() instanceof DataMessage.PullShard pull) {
        int primary = worker.job.nnShards().primary(pull.shard());
        assertEquals(primary == LOST ? DEPUTY : primary, each.to().index());
      }
    }
    pulls.forEach(this::answer);
    checkPulled();
  }

  @Test
  void shouldAskNothingTwiceInAnEpochThatLosesNobody() {
    worker.grant(lease(1, 0, 100, Long.MAX_VALUE));
    worker.read(0, 10, 0, samples(all()));
    List<Sent> pulls = worker.takeSent();
    worker.epochWithout();
    Set<Long> numbers = new HashSet<>();
    pulls.forEach(each -> numbers.add(request(each.message())));
    for (Sent each : worker.takeSent()) {
      assertTrue(numbers.remove(request(each.message())));
    }
    assertEquals(Set.of(), numbers);
  }

  @Test
  void shouldNotPullWhatNobodyHas() {
    worker.grant(lease(1, 0, 100, Long.MAX_VALUE));
    worker.read(0, 10, 0, samples(all()));
    assertThrows(IllegalStateException.class, () -> worker.epochWithout(LOST, DEPUTY));
  }

  // Before the decision.

  @Test
  void shouldStageWhatALostServerHadAtItsStandIns() {
    begin(all());
    Map<Key, Part> first = parts(worker.takeSent());
    assertEquals(own(0, 1, 2, 3), first.keySet());
    staged(own(0, LOST), 1);
    worker.epochWithout(LOST);
    Map<Key, Part> again = parts(worker.takeSent());
    assertEquals(and(own(2, 3), ofLost(all())), again.keySet());
    checkLostParts(again, all());
    again
        .values()
        .forEach(part -> assertEquals(Set.of(Participants.of(0, 1, 2, 3)), part.participants));

    staged(own(2, 3), 1);
    staged(Set.of(new Key(0, LOST), new Key(DEPUTY, LOST)), 1);
    worker.staged(LOST, 1);
    assertEquals(Set.of(), commits(worker.takeSent()), "server-3 has not staged the lost part");
    worker.staged(3, LOST, 1);
    assertEquals(and(own(0, 2, 3), ofLost(all())), commits(worker.takeSent()));
    applied(own(0, 2, 3), 1);
    applied(Set.of(new Key(0, LOST), new Key(DEPUTY, LOST)), 1);
    worker.applied(LOST, 1);
    assertEquals(0, worker.core.iterationsApplied());
    worker.applied(3, LOST, 1);
    assertEquals(1, worker.core.iterationsApplied());
    assertEquals(100, worker.core.samples());
  }

  @Test
  void shouldNumberAPartTheSameWayOnEveryRetry() {
    begin(all());
    worker.epochWithout(LOST);
    worker.takeSent();
    worker.pass(RETRY);
    Map<Key, Part> first = parts(worker.takeSent());
    assertEquals(and(own(0, 2, 3), ofLost(all())), first.keySet());
    worker.epochWithout(LOST);
    Map<Key, Part> second = parts(worker.takeSent());
    assertEquals(first.keySet(), second.keySet());
    first.forEach(
        (key, part) -> {
          assertEquals(part.declared, second.get(key).declared);
          assertEquals(part.rows, second.get(key).rows);
        });
    checkLostParts(second, all());
  }

  @Test
  void shouldStageAnEmptyPartAtADeputyThatHasNothingButTheRecord() {
    restart(TestJobs.redundant(SyncMode.ASYNC, false, false, false, ONE_SHARD));
    int[] rows =
        IntStream.range(0, 100).filter(row -> owner(row) == LOST && host(row) == 3).toArray();
    begin(rows);
    worker.takeSent();
    worker.epochWithout(LOST);
    List<Sent> sent = worker.takeSent();
    Map<Key, Part> parts = parts(sent);
    assertEquals(Set.of(new Key(0, 0), new Key(DEPUTY, LOST), new Key(3, LOST)), parts.keySet());
    checkLostParts(parts, rows);
    Part empty = parts.get(new Key(DEPUTY, LOST));
    assertEquals(List.of(0), empty.numbers);
    assertEquals(Set.of(Participants.of(0, LOST)), empty.participants);

    staged(parts.keySet(), 1);
    assertEquals(parts.keySet(), commits(worker.takeSent()));
    applied(parts.keySet(), 1);
    assertEquals(1, worker.core.iterationsApplied());
  }

  @Test
  void shouldStageAtALostServersStandInsInTheOrderOfItsTransactions() {
    begin(all());
    train(10, all());
    staged(own(0, 1, 2, 3), 2); // Nothing of it is staged yet: no effect.
    worker.takeSent();
    staged(own(0, 2, 3), 1);
    Map<Key, Part> second = parts(worker.takeSent());
    assertEquals(own(0, 2, 3), second.keySet());
    staged(own(0, 2, 3), 2);
    worker.epochWithout(LOST);
    List<Sent> sent = worker.takeSent();
    for (Sent each : sent) {
      assertEquals(1, ((DataMessage.Stage) each.message()).header().tx().sequence());
    }
    assertEquals(ofLost(all()), parts(sent).keySet());
    worker.staged(3, LOST, 1);
    sent = worker.takeSent();
    assertEquals(Set.of(new Key(3, LOST)), parts(sent).keySet());
    assertEquals(Set.of(), commits(sent));
    worker.staged(0, LOST, 1);
    worker.staged(DEPUTY, LOST, 1);
    sent = worker.takeSent();
    assertEquals(and(own(0, 2, 3), ofLost(all())), commits(sent));
    staged(ofLost(all()), 2);
    applied(and(own(0, 2, 3), ofLost(all())), 2);
    applied(and(own(0, 2, 3), ofLost(all())), 1);
    assertEquals(2, worker.core.iterationsApplied());
  }

  @Test
  void shouldStageSoonAgainWhereAStandInIsBusy() {
    begin(all());
    worker.epochWithout(LOST);
    worker.takeSent();
    staged(own(0, 2, 3), 1);
    worker.staged(0, LOST, 1);
    worker.staged(DEPUTY, LOST, 1);
    worker.refuse(3, 1, RefusalReason.BUSY);
    worker.pass(RETRY / 16);
    assertEquals(Set.of(new Key(3, LOST)), parts(worker.takeSent()).keySet());
  }

  // After the decision.

  @Test
  void shouldFinishADecidedTransactionAtTheStandIns() {
    begin(all());
    staged(own(0, 1, 2, 3), 1);
    worker.takeSent();
    worker.applied(0, 1);
    worker.epochWithout(LOST);
    List<Sent> sent = worker.takeSent();
    assertEquals(own(2, 3), commits(sent), "is asked again");
    Map<Key, Part> parts = parts(sent);
    assertEquals(ofLost(all()), parts.keySet());
    checkLostParts(parts, all());

    worker.staged(0, LOST, 1);
    assertEquals(Set.of(new Key(0, LOST)), commits(worker.takeSent()), "the decision stands");
    worker.applied(0, 1);
    worker.applied(2, 1);
    worker.applied(3, 1);
    worker.applied(0, LOST, 1);
    worker.refuse(3, 1, RefusalReason.UNKNOWN_TRANSACTION);
    worker.staged(DEPUTY, LOST, 1);
    worker.applied(DEPUTY, LOST, 1);
    assertEquals(0, worker.core.iterationsApplied());
    worker.applied(3, LOST, 1); // It had folded all of it before: the answer to a Stage.
    assertEquals(1, worker.core.iterationsApplied());
    worker.takeSent();
    worker.pass(10 * RETRY);
    assertEquals(List.of(), worker.takeSent());
  }

  @Test
  void shouldStageAPartAgainThatAStandInForgot() {
    begin(all());
    worker.epochWithout(LOST);
    staged(and(own(0, 2, 3), ofLost(all())), 1);
    applied(own(0, 2, 3), 1);
    worker.takeSent();
    worker.refuse(3, 1, RefusalReason.UNKNOWN_TRANSACTION);
    worker.pass(1);
    List<Sent> sent = worker.takeSent();
    assertEquals(Set.of(new Key(3, LOST)), parts(sent).keySet());
    assertEquals(Set.of(), commits(sent));
    worker.staged(3, LOST, 1);
    assertEquals(Set.of(new Key(3, LOST)), commits(worker.takeSent()));
  }

  @Test
  void shouldNotRepeatAtStandInsWhatTheLostServerApplied() {
    begin(all());
    staged(own(0, 1, 2, 3), 1);
    worker.applied(LOST, 1);
    worker.applied(0, 1);
    worker.takeSent();
    worker.epochWithout(LOST);
    List<Sent> sent = worker.takeSent();
    assertEquals(Map.of(), parts(sent));
    assertEquals(own(2, 3), commits(sent));
    worker.applied(2, 1);
    worker.applied(3, 1);
    assertEquals(1, worker.core.iterationsApplied());
  }

  // Planned while a server is lost.

  @Test
  void shouldPlanTransactionsWhileAServerIsLost() {
    restart(worker.job, LOST);
    begin(all());
    Map<Key, Part> parts = parts(worker.takeSent());
    assertEquals(and(own(0, 2, 3), ofLost(all())), parts.keySet());
    checkLostParts(parts, all());
    parts
        .values()
        .forEach(part -> assertEquals(Set.of(Participants.of(0, 1, 2, 3)), part.participants));
    staged(parts.keySet(), 1);
    assertEquals(parts.keySet(), commits(worker.takeSent()));
    applied(parts.keySet(), 1);
    assertEquals(1, worker.core.iterationsApplied());
  }

  @Test
  void shouldTellItsOwnPartsAndALostServersApart() {
    restart(worker.job, LOST);
    begin(all());
    worker.takeSent();
    staged(own(0, 2, 3), 1);
    staged(own(0, 2, 3), 1);
    assertEquals(Set.of(), commits(worker.takeSent()));
    staged(ofLost(all()), 1);
    assertEquals(and(own(0, 2, 3), ofLost(all())), commits(worker.takeSent()));
    applied(ofLost(all()), 1);
    applied(ofLost(all()), 1);
    assertEquals(0, worker.core.iterationsApplied());
    worker.pass(RETRY);
    assertEquals(own(0, 2, 3), commits(worker.takeSent()));
    applied(own(0, 2, 3), 1);
    assertEquals(1, worker.core.iterationsApplied());
  }

  // Other ways to commit.

  @Test
  void shouldWaitForItsTurnAgainWhenAServerIsLostBeforeIt() {
    restart(job(SyncMode.SYNC, true, false, false));
    worker.grant(lease(1, 0, 100, Long.MAX_VALUE));
    worker.read(0, 10, 0, samples(all()));
    worker.core.onControl(new StepOpened(1), worker.now);
    compute();
    worker.takeTold();
    staged(own(0, 1, 2, 3), 1);
    StepReady ready = new StepReady(NODE, INCARNATION, 1);
    assertEquals(List.of(ready), worker.takeTold());
    worker.takeSent();
    worker.epochWithout(LOST);
    assertEquals(ofLost(all()), parts(worker.takeSent()).keySet());
    assertEquals(List.of(), worker.takeTold());
    worker.core.onControl(new CommitGranted(1), worker.now);
    assertEquals(List.of(), worker.takeSent(), "not before all is staged");
    staged(ofLost(all()), 1);
    assertEquals(List.of(ready), worker.takeTold(), "asks for the grant that it could not take");
    worker.core.onControl(new CommitGranted(1), worker.now);
    assertEquals(and(own(0, 2, 3), ofLost(all())), commits(worker.takeSent()));
  }

  @Test
  void shouldStageOnceMoreInOnePhaseWhatALostServerDidNotApply() {
    restart(job(SyncMode.ASYNC, false, true, false));
    begin(all());
    assertEquals(own(0, 1, 2, 3), parts(worker.takeSent()).keySet());
    staged(own(0, 1, 2), 1);
    worker.applied(0, 1);
    worker.epochWithout(LOST);
    List<Sent> sent = worker.takeSent();
    assertEquals(Set.of(), commits(sent));
    Map<Key, Part> parts = parts(sent);
    assertEquals(and(own(2, 3), ofLost(all())), parts.keySet());
    checkLostParts(parts, all());
    applied(own(2, 3), 1);
    worker.applied(LOST, 1);
    worker.staged(3, LOST, 1);
    assertEquals(Set.of(), commits(worker.takeSent()));
    assertEquals(0, worker.core.iterationsApplied());
    applied(ofLost(all()), 1);
    assertEquals(1, worker.core.iterationsApplied());
  }

  @Test
  void shouldDropWitnessesOfAndAtALostServer() {
    restart(job(SyncMode.ASYNC, false, false, true));
    begin(all());
    Set<Key> witnesses = Set.of(new Key(1, 0), new Key(DEPUTY, LOST), new Key(3, 2), new Key(0, 3));
    assertEquals(and(own(0, 1, 2, 3), witnesses), parts(worker.takeSent()).keySet());
    staged(own(0, 1, 2, 3), 1);
    worker.staged(DEPUTY, LOST, 1); // As a witness; that says nothing of it as a stand-in.
    worker.staged(3, 2, 1);
    worker.staged(0, 3, 1);
    worker.epochWithout(LOST);
    Map<Key, Part> parts = parts(worker.takeSent());
    assertEquals(ofLost(all()), parts.keySet());
    checkLostParts(parts, all());
    staged(ofLost(all()), 1);
    assertEquals(and(own(0, 2, 3), ofLost(all())), commits(worker.takeSent()));
    applied(and(own(0, 2, 3), ofLost(all())), 1);
    assertEquals(1, worker.core.iterationsApplied());
  }

  @Test
  void shouldDecideWhenNothingButALostWitnessWasMissing() {
    restart(TestJobs.redundant(SyncMode.ASYNC, false, false, true, ONE_SHARD));
    int[] rows = IntStream.range(0, 100).filter(row -> owner(row) == 0).toArray();
    begin(rows);
    assertEquals(Set.of(new Key(0, 0), new Key(LOST, 0)), parts(worker.takeSent()).keySet());
    worker.staged(0, 1);
    assertEquals(Set.of(), commits(worker.takeSent()));
    worker.epochWithout(LOST);
    assertEquals(own(0), commits(worker.takeSent()));
  }

  @Test
  void shouldHaveNoWitnessesOfOrAtAServerThatIsLost() {
    restart(job(SyncMode.ASYNC, false, false, true), LOST);
    begin(all());
    Map<Key, Part> parts = parts(worker.takeSent());
    Set<Key> witnesses = Set.of(new Key(3, 2), new Key(0, 3));
    assertEquals(and(and(own(0, 2, 3), ofLost(all())), witnesses), parts.keySet());
    checkLostParts(parts, all());
    staged(parts.keySet(), 1);
    assertEquals(and(own(0, 2, 3), ofLost(all())), commits(worker.takeSent()));
  }

  @Test
  void shouldNeverSpeakToALostServer() {
    begin(all());
    train(10, all());
    worker.takeSent();
    worker.epochWithout(LOST);
    staged(and(own(0, 2, 3), ofLost(all())), 1);
    staged(and(own(0, 2, 3), ofLost(all())), 2);
    worker.pass(RETRY);
    for (Sent each : worker.takeSent()) {
      assertNotEquals(NodeId.server(LOST), each.to());
    }
  }
}
