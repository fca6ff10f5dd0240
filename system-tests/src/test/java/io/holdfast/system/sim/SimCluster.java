package io.holdfast.system.sim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.config.control.ControlMessage;
import io.holdfast.config.control.Register;
import io.holdfast.config.control.ServerControl.ResolveWorker;
import io.holdfast.config.job.JobSpec;
import io.holdfast.config.placement.NnShards;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.protocol.DataRange;
import io.holdfast.config.protocol.Payload;
import io.holdfast.recovery.CoordinatorEffects;
import io.holdfast.recovery.CoordinatorSettings;
import io.holdfast.recovery.JobCoordinator;
import io.holdfast.recovery.JobOutcome;
import io.holdfast.recovery.JobOutcome.JobTrained;
import io.holdfast.recovery.JobPhase;
import io.holdfast.recovery.JobProgress;
import io.holdfast.recovery.Split;
import io.holdfast.recovery.TrainingData;
import io.holdfast.server.storage.RefusedException;
import io.holdfast.server.storage.RowExport;
import io.holdfast.worker.SteppedWorker.Made;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * A whole job in one thread: real coordinator, real server and worker cores behind real endpoints
 * and the real codec; time, network, data and arithmetic are simulated. First faults, then calm:
 * then it must end, and be right.
 */
final class SimCluster implements CoordinatorEffects, AutoCloseable {
  private static final long MAX_NANOS = 100_000_000;
  private static final long SETTLE_NANOS = 200_000;

  /** The job and what happens to it. */
  record Scenario(JobSpec job, TrainingData data, SimModel model, Faults faults) {}

  final Schedule schedule;
  final SimNetwork network;
  final SimModel model;
  final History history = new History();
  private final Scenario scenario;
  private final JobSpec job;
  private final JobCoordinator coordinator;
  private final List<SimServer> servers = new ArrayList<>();
  private final List<SimWorker> workers = new ArrayList<>();
  private final Map<Long, SimProcess> byIncarnation = new HashMap<>();
  private final Map<NodeId, SimProcess> named = new HashMap<>();
  private final Set<SimWorker> condemned = new HashSet<>();
  private long nextIncarnation = 1000;
  private JobOutcome outcome;

  SimCluster(Scenario scenario, long seed) {
    this.scenario = scenario;
    job = scenario.job();
    model = scenario.model();
    schedule = new Schedule(seed);
    network = new SimNetwork(schedule, scenario.faults());
    coordinator =
        new JobCoordinator(
            job, scenario.data(), new CoordinatorSettings(1, 42, job.retryNanos()), this);
  }

  /** How often processes look at the time. */
  long tickNanos() {
    return job.retryNanos() / 16;
  }

  /** Longest time that reading or computing a batch takes. */
  long workNanos() {
    return job.retryNanos() / 16;
  }

  /** Runs the job to its end and lets stragglers arrive. */
  void run() {
    for (int i = 0; i < job.servers(); i++) {
      SimServer server = new SimServer(this, nextIncarnation++);
      servers.add(server);
      byIncarnation.put(server.incarnation, server);
      toCoordinator(
          server,
          false,
          new Register(NodeId.Role.SERVER, i, server.incarnation, "", server.incarnation, null));
    }
    for (int i = 0; i < job.workers(); i++) {
      startWorker(i);
    }
    tickCoordinator();
    Faults faults = scenario.faults();
    for (int i = 0; i < faults.pauses(); i++) {
      schedule.at(schedule.draw(faults.untilNanos()), this::pauseSomebody);
    }
    for (int i = 0; i < faults.deaths(); i++) {
      schedule.at(schedule.draw(faults.untilNanos()), this::killSomebody);
    }
    while (outcome == null) {
      assertTrue(
          schedule.nowNanos() < MAX_NANOS, "no end in sight: " + coordinator.phase() + workers);
      schedule.step();
    }
    for (long end = schedule.nowNanos() + SETTLE_NANOS; schedule.nowNanos() < end; ) {
      schedule.step();
    }
  }

  private void tickCoordinator() {
    coordinator.tick(schedule.nowNanos());
    schedule.in(tickNanos(), this::tickCoordinator);
  }

  private SimWorker startWorker(int preferred) {
    SimWorker worker = new SimWorker(this, nextIncarnation++, preferred);
    workers.add(worker);
    byIncarnation.put(worker.incarnation, worker);
    return worker;
  }

  private void pauseSomebody() {
    List<SimProcess> all = new ArrayList<>(servers);
    all.addAll(workers);
    all.get((int) schedule.draw(all.size())).pause(schedule.draw(4 * job.retryNanos()));
  }

  private void killSomebody() {
    List<SimWorker> live =
        workers.stream()
            .filter(w -> !w.isDead() && w.self() != null && !condemned.contains(w))
            .toList();
    if (live.isEmpty() || coordinator.phase() != JobPhase.TRAINING) {
      return;
    }
    SimWorker victim = live.get((int) schedule.draw(live.size()));
    condemned.add(victim);
    NodeId node = victim.self();
    long noticedAfter = schedule.draw(2 * job.retryNanos());
    if (live.size() == 1) {
      // Its successor is there before anybody notices, else no worker would be left.
      startWorker(node.index());
      noticedAfter = MAX_NANOS / 10;
    } else if (schedule.chance(0.5)) {
      schedule.in(schedule.draw(2 * job.retryNanos()), () -> startWorker(node.index()));
    }
    if (schedule.chance(0.3)) {
      victim.pause(schedule.draw(4 * job.retryNanos())); // Alive; comes back as a ghost.
    } else {
      victim.die();
    }
    schedule.in(
        noticedAfter,
        () -> coordinator.onNodeDown(node, victim.incarnation, "killed", schedule.nowNanos()));
  }

  void toCoordinator(SimProcess from, boolean lossy, ControlMessage message) {
    network.control(
        from.incarnation,
        0,
        lossy,
        () -> {
          schedule.trace(from.incarnation, message.getClass().getSimpleName().hashCode());
          coordinator.on(message, schedule.nowNanos());
        });
  }

  @Override
  public void named(NodeId node, long incarnation) {
    named.put(node, byIncarnation.get(incarnation));
  }

  @Override
  public void send(NodeId to, ControlMessage message) {
    if (message instanceof ResolveWorker resolve) {
      history.resolved(resolve);
    }
    deliver(named.get(to), message);
  }

  @Override
  public void toUnregistered(long incarnation, ControlMessage message) {
    deliver(byIncarnation.get(incarnation), message);
  }

  private void deliver(SimProcess process, ControlMessage message) {
    network.control(
        0, process.incarnation, process instanceof SimWorker, () -> process.deliver(message));
  }

  @Override
  public void outcome(JobOutcome outcome) {
    this.outcome = outcome;
  }

  @Override
  public void progress(JobProgress progress) {
    assertTrue(progress.workers() <= job.workers(), progress.toString());
  }

  JobOutcome outcome() {
    return outcome;
  }

  /** Frames that endpoints refused because of a stale epoch or a fenced process. */
  long refusedFrames() {
    return servers.stream()
        .mapToLong(
            s -> s.endpoint().counters().fenced.sum() + s.endpoint().counters().staleEpoch.sum())
        .sum();
  }

  // What must be true at the end.

  /** Compares everything with what workers and coordinator decided. */
  void check() {
    JobTrained trained = assertInstanceOf(JobTrained.class, outcome, outcome.toString());
    List<Made> committed = history.committed();
    checkData(committed);
    assertEquals(committed.size(), trained.totals().iterations(), "iterations");
    assertEquals(
        committed.stream().mapToLong(each -> each.range().samples()).sum(),
        trained.totals().samples(),
        "samples");
    for (SimServer server : servers) {
      assertEquals(0, server.core().stagedBytes(), "staged at " + server.endpoint().self());
      assertEquals(0, server.endpoint().counters().malformed.sum());
      assertEquals(0, server.endpoint().counters().wrongKey.sum());
    }
    if (model.exact()) {
      checkRows(committed);
      checkShards(committed);
    }
  }

  private void checkData(List<Made> committed) {
    Map<String, Made> learned = new HashMap<>();
    for (Made each : committed) {
      DataRange range = each.range();
      for (long at = range.from(); at < range.to(); at++) {
        if (model.isGood(range.file(), at)) {
          String line = range.pass() + "/" + range.file() + "/" + at;
          Made other = learned.put(line, each);
          assertTrue(other == null, () -> line + " trained by " + other + " and " + each);
        }
      }
    }
    TrainingData data = scenario.data();
    if (data.iterations() > 0) {
      assertEquals(data.iterations(), committed.size(), "iterations");
      return;
    }
    long good = 0;
    for (Split split : data.splits()) {
      for (long at = split.from(); at < split.to(); at++) {
        good += model.isGood(split.file(), at) ? 1 : 0;
      }
    }
    assertEquals(good * data.passes(), learned.size(), "every good line once per pass");
  }

  private void checkRows(List<Made> committed) {
    int rows = (int) job.model().totalRows();
    int dim = job.model().dim();
    int[] counters = new int[rows];
    float[] expected = new float[rows * dim];
    for (Made each : committed) {
      for (long row : each.rows()) {
        counters[Math.toIntExact(row)]++;
        for (int d = 0; d < dim; d++) {
          expected[Math.toIntExact(row) * dim + d] -=
              SimModel.gradient(each.tx().incarnation(), each.step(), model.rowFloat(row, d));
        }
      }
    }
    Map<Long, byte[]> actual = rows();
    for (int row = 0; row < rows; row++) {
      byte[] bytes = new byte[4 + 4 * dim];
      MemorySegment segment = MemorySegment.ofArray(bytes);
      segment.set(ValueLayout.JAVA_INT_UNALIGNED, 0, SimModel.FIRST_COUNTER + counters[row]);
      for (int d = 0; d < dim; d++) {
        segment.set(ValueLayout.JAVA_FLOAT_UNALIGNED, 4 + 4L * d, expected[row * dim + d]);
      }
      int which = row;
      assertTrue(
          java.util.Arrays.equals(bytes, actual.get((long) row)),
          () ->
              "row "
                  + which
                  + " of server "
                  + job.stripeMap().serverOfRow(which)
                  + " is "
                  + text(actual.get((long) which))
                  + ", should be "
                  + text(bytes));
    }
    assertEquals(rows, actual.size(), "rows");
  }

  private static String text(byte[] row) {
    if (row == null) {
      return "nowhere";
    }
    MemorySegment segment = MemorySegment.ofArray(row);
    StringBuilder text = new StringBuilder();
    text.append(segment.get(ValueLayout.JAVA_INT_UNALIGNED, 0)).append(" updates:");
    for (int at = 4; at < row.length; at += 4) {
      text.append(' ').append(segment.get(ValueLayout.JAVA_FLOAT_UNALIGNED, at));
    }
    return text.toString();
  }

  private void checkShards(List<Made> committed) {
    NnShards shards = job.nnShards();
    for (int shard = 0; shard < shards.count(); shard++) {
      byte[] expected = new byte[4 * shards.length(shard)];
      for (int i = 0; i < shards.length(shard); i++) {
        float sum = 0;
        for (Made each : committed) {
          sum -=
              SimModel.gradient(
                  each.tx().incarnation(), each.step(), SimModel.nnFloat(shards.from(shard) + i));
        }
        MemorySegment.ofArray(expected).set(ValueLayout.JAVA_FLOAT_UNALIGNED, 4L * i, sum);
      }
      SimServer primary = servers().get(shards.primary(shard));
      try {
        assertEquals(committed.size(), primary.core().nn().version(shard).counter(), "updates");
      } catch (RefusedException e) {
        throw new AssertionError(e);
      }
      assertTrue(java.util.Arrays.equals(expected, shard(shard)), "NN shard " + shard);
    }
  }

  /** Servers by index. */
  private List<SimServer> servers() {
    List<SimServer> sorted = new ArrayList<>(servers);
    sorted.sort(java.util.Comparator.comparingInt(s -> s.endpoint().self().node().index()));
    return sorted;
  }

  /** All rows that were ever updated: {@code [counter | weights | state]} by row. */
  Map<Long, byte[]> rows() {
    Map<Long, byte[]> all = new TreeMap<>();
    long total = job.model().totalRows();
    for (SimServer server : servers) {
      int rowBytes = server.core().rows().layout().rowBytes();
      for (long from = 0; from < total; ) {
        RowExport found;
        try {
          found = server.core().rows().export(from, total, 16);
        } catch (RefusedException e) {
          throw new AssertionError(e);
        }
        MemorySegment ids = bytes(found.rows());
        MemorySegment counters = bytes(found.counters());
        MemorySegment values = bytes(found.values());
        for (int i = 0; i < ids.byteSize() / Long.BYTES; i++) {
          byte[] row = new byte[4 + rowBytes];
          MemorySegment.copy(counters, 4L * i, MemorySegment.ofArray(row), 0, 4);
          MemorySegment.copy(values, (long) i * rowBytes, MemorySegment.ofArray(row), 4, rowBytes);
          long id = ids.get(ValueLayout.JAVA_LONG_UNALIGNED, 8L * i);
          assertTrue(all.put(id, row) == null, "two servers have row " + id);
        }
        from = found.nextRow();
      }
    }
    return all;
  }

  private static MemorySegment bytes(Payload payload) {
    MemorySegment bytes = MemorySegment.ofArray(new byte[(int) payload.lengthBytes()]);
    payload.writeTo(bytes, 0);
    return bytes;
  }

  /** An NN shard's {@code [weights | state]}. */
  byte[] shard(int shard) {
    try {
      return servers()
          .get(job.nnShards().primary(shard))
          .core()
          .nn()
          .all(shard)
          .toArray(ValueLayout.JAVA_BYTE);
    } catch (RefusedException e) {
      throw new AssertionError(e);
    }
  }

  @Override
  public void close() {
    servers.forEach(SimProcess::die);
    workers.forEach(SimProcess::die);
    network.close();
  }
}
