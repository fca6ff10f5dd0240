package io.holdfast.server;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.config.control.ServerControl;
import io.holdfast.config.model.OptimizerKind;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.protocol.DataMessage;
import io.holdfast.config.protocol.Participants;
import io.holdfast.config.protocol.Payload;
import io.holdfast.config.protocol.RefusalReason;
import io.holdfast.config.protocol.TxHeader;
import io.holdfast.config.protocol.TxId;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/**
 * A server against a naive model of it that forgets nothing, under random schedules: messages are
 * duplicated, reordered, delayed for ever, and a worker may die. Gradients come from the schedule,
 * not from the server.
 */
class ServerModelTest {
  private static final int DIM = 3;
  private static final int ROWS = 40;
  private static final int WINDOW = 3;
  private static final int TRANSACTIONS = 25;
  private static final Participants ALONE = Participants.of(0);

  @Test
  void shouldAgreeWithTheModelUnderAnySchedule() {
    for (long seed = 1; seed <= 400; seed++) {
      try {
        new Schedule(seed).run();
      } catch (AssertionError | RuntimeException e) {
        throw new AssertionError("seed " + seed + ": " + e.getMessage(), e);
      }
    }
  }

  /** What should be. */
  private static final class Model {
    final Map<Long, float[]> rows = new HashMap<>();
    final Map<TxId, Map<Integer, DataMessage.StageRows>> staged = new HashMap<>();
    final Set<TxId> applied = new HashSet<>();
    final Set<NodeId> fenced = new HashSet<>();

    DataMessage stage(DataMessage.StageRows m) {
      TxId tx = m.header().tx();
      if (fenced.contains(tx.worker())) {
        return new DataMessage.Refused(tx.sequence(), RefusalReason.ABORTED);
      }
      if (applied.contains(tx)) {
        return new DataMessage.Applied(tx, 0);
      }
      staged.computeIfAbsent(tx, key -> new TreeMap<>()).put(m.header().part(), m);
      return isWhole(tx) ? new DataMessage.Staged(tx, 0) : null;
    }

    boolean isWhole(TxId tx) {
      Map<Integer, DataMessage.StageRows> parts = staged.get(tx);
      return parts != null && parts.size() == parts.values().iterator().next().header().parts();
    }

    DataMessage commit(DataMessage.Commit m) {
      TxId tx = m.tx();
      if (fenced.contains(tx.worker())) {
        return new DataMessage.Refused(tx.sequence(), RefusalReason.ABORTED);
      }
      if (applied.contains(tx)) {
        return new DataMessage.Applied(tx, 0);
      }
      if (!isWhole(tx)) {
        return new DataMessage.Refused(tx.sequence(), RefusalReason.UNKNOWN_TRANSACTION);
      }
      apply(tx);
      return new DataMessage.Applied(tx, 0);
    }

    void apply(TxId tx) {
      for (DataMessage.StageRows part : staged.remove(tx).values()) {
        float[] gradients = part.gradients().segment().toArray(ValueLayout.JAVA_FLOAT_UNALIGNED);
        long[] ids = part.rows().segment().toArray(ValueLayout.JAVA_LONG_UNALIGNED);
        for (int i = 0; i < ids.length; i++) {
          float[] row = rows.get(ids[i]);
          for (int j = 0; j < DIM; j++) {
            row[j] -= part.header().learningRate() * gradients[i * DIM + j];
          }
        }
      }
      applied.add(tx);
    }
  }

  /** A worker that knows only what it was answered. */
  private static final class Worker {
    final int index;
    final Map<Long, List<DataMessage.StageRows>> open = new TreeMap<>();
    final Set<Long> decided = new HashSet<>();
    final TreeSet<Long> done = new TreeSet<>();
    long watermark;
    long next = 1;
    boolean dead;

    Worker(int index) {
      this.index = index;
    }
  }

  private static final class Schedule {
    final Random random;
    final CoreHarness server =
        new CoreHarness(
            TestJobs.job(TestJobs.model(DIM, ROWS), OptimizerKind.SGD, 1, 2, 1 << 16), 0);
    final Model model = new Model();
    final List<Worker> workers = List.of(new Worker(0), new Worker(1));

    /** All that was ever sent: any of it may arrive, again and again. */
    final List<DataMessage> network = new ArrayList<>();

    Schedule(long seed) {
      random = new Random(seed);
      for (long row = 0; row < ROWS; row++) {
        model.rows.put(row, server.pull(row));
      }
    }

    void run() {
      long killAt = random.nextInt(2) == 0 ? -1 : random.nextInt(800);
      for (int step = 0;
          workers.stream().anyMatch(w -> !w.dead && w.watermark < TRANSACTIONS);
          step++) {
        assertTrue(step < 100_000, "no end");
        if (step == killAt) {
          kill(workers.get(1));
        }
        Worker worker = workers.get(random.nextInt(2));
        if (!worker.dead && random.nextInt(3) == 0) {
          act(worker);
        }
        if (!network.isEmpty()) {
          // Mostly recent messages, so that there is progress.
          int back = random.nextInt(4) == 0 ? network.size() : Math.min(12, network.size());
          deliver(network.get(network.size() - 1 - random.nextInt(back)));
        }
      }
      finish();
    }

    /** Starts a transaction, or repeats what was not answered. */
    void act(Worker worker) {
      if (worker.open.size() < WINDOW && worker.next <= TRANSACTIONS && random.nextBoolean()) {
        long sequence = worker.next++;
        worker.open.put(sequence, stages(worker, sequence));
        network.addAll(worker.open.get(sequence));
      } else {
        worker.open.forEach(
            (sequence, stages) -> {
              if (worker.decided.contains(sequence)) {
                network.add(commit(worker, sequence));
              } else {
                network.add(stages.get(random.nextInt(stages.size())));
              }
            });
      }
    }

    DataMessage.Commit commit(Worker worker, long sequence) {
      return new DataMessage.Commit(CoreHarness.tx(worker.index, sequence), 0, worker.watermark);
    }

    List<DataMessage.StageRows> stages(Worker worker, long sequence) {
      int parts = random.nextInt(1, 4);
      TreeSet<Long> rows = new TreeSet<>();
      while (rows.size() < 2 * parts) {
        rows.add((long) random.nextInt(ROWS));
      }
      List<Long> ids = new ArrayList<>(rows);
      List<DataMessage.StageRows> stages = new ArrayList<>();
      for (int part = 0; part < parts; part++) {
        TxHeader header = CoreHarness.header(worker.index, sequence, worker.watermark, part, parts);
        float[] gradients = new float[2 * DIM];
        for (int i = 0; i < gradients.length; i++) {
          gradients[i] = random.nextFloat();
        }
        stages.add(
            new DataMessage.StageRows(
                header,
                ALONE,
                Payload.of(TestJobs.ids(ids.get(2 * part), ids.get(2 * part + 1))),
                Payload.of(MemorySegment.ofArray(gradients))));
      }
      return stages;
    }

    void deliver(DataMessage message) {
      TxId tx;
      DataMessage expected;
      switch (message) {
        case DataMessage.StageRows m -> {
          tx = m.header().tx();
          expected = model.stage(m);
        }
        case DataMessage.Commit m -> {
          tx = m.tx();
          expected = model.commit(m);
        }
        default -> throw new AssertionError(message);
      }
      DataMessage answer = server.ask(tx.worker(), message);
      assertEquals(expected, answer, () -> "answer to " + message);
      Worker worker = workers.get(tx.worker().index());
      // Answers are lost as well.
      if (!worker.dead && random.nextInt(4) != 0) {
        onAnswer(worker, tx.sequence(), answer);
      }
    }

    void onAnswer(Worker worker, long sequence, DataMessage answer) {
      if (!worker.open.containsKey(sequence)) {
        return;
      }
      if (answer instanceof DataMessage.Staged && worker.decided.add(sequence)) {
        network.add(commit(worker, sequence));
      }
      if (answer instanceof DataMessage.Applied) {
        worker.open.remove(sequence);
        worker.done.add(sequence);
        while (worker.done.remove(worker.watermark + 1)) {
          worker.watermark++;
        }
      }
    }

    void kill(Worker worker) {
      worker.dead = true;
      NodeId node = NodeId.worker(worker.index);
      ServerControl.WorkerTransactions known = server.query(worker.index);
      model.fenced.add(node);
      TreeSet<Long> undecided = new TreeSet<>();
      model.staged.keySet().stream()
          .filter(tx -> tx.worker().equals(node))
          .forEach(tx -> undecided.add(tx.sequence()));
      assertEquals(List.copyOf(undecided), known.undecided());
      for (TxId tx : model.applied) {
        boolean covered =
            !tx.worker().equals(node)
                || tx.sequence() <= known.watermark()
                || known.decided().contains(tx.sequence());
        assertTrue(covered, tx + " is applied, but not in " + known);
      }
      // As if other participants knew of a decision on some of the whole ones.
      List<Long> committed = new ArrayList<>(known.decided());
      for (long sequence : undecided) {
        TxId tx = CoreHarness.tx(worker.index, sequence);
        if (model.isWhole(tx) && random.nextBoolean()) {
          committed.add(sequence);
          model.apply(tx);
        }
      }
      model.staged.keySet().removeIf(tx -> tx.worker().equals(node));
      for (int repeated = random.nextInt(1, 3); repeated > 0; repeated--) {
        server.resolve(worker.index, committed.toArray(Long[]::new));
      }
    }

    void finish() {
      for (long row = 0; row < ROWS; row++) {
        assertArrayEquals(model.rows.get(row), server.pull(row), "row " + row);
      }
      assertEquals(model.applied.size(), server.statistics().transactions());
      // Each transaction's range counts once, merged or not.
      long iterations =
          server
              .control(ServerControl.CommittedRanges.class, new ServerControl.QueryRanges(1))
              .ranges()
              .stream()
              .mapToLong(ServerControl.RangeRecord::iterations)
              .sum();
      assertEquals(model.applied.size(), iterations);
      server.close();
    }
  }
}
