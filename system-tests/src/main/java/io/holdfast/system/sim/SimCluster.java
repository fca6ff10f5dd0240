package io.holdfast.system.sim;

import static io.holdfast.system.sim.BrokenInvariant.require;

import io.holdfast.config.control.ControlMessage;
import io.holdfast.config.control.Register;
import io.holdfast.config.control.ServerControl.ResolveWorker;
import io.holdfast.config.job.JobSpec;
import io.holdfast.config.placement.NnShards;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.placement.StripeMap;
import io.holdfast.recovery.CoordinatorEffects;
import io.holdfast.recovery.CoordinatorSettings;
import io.holdfast.recovery.JobCoordinator;
import io.holdfast.recovery.JobOutcome;
import io.holdfast.recovery.JobPhase;
import io.holdfast.recovery.JobProgress;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A whole job in one thread: real coordinator, real server and worker cores behind real endpoints
 * and the real codec; time, network, data and arithmetic are simulated. First faults, then calm:
 * then it must end, and be right.
 */
final class SimCluster implements CoordinatorEffects, AutoCloseable {
  private static final long MAX_NANOS = 100_000_000;
  private static final long SETTLE_NANOS = 200_000;

  final Schedule schedule;
  final SimNetwork network;
  final History history = new History();
  final FaultTally tally = new FaultTally();
  final TraceLog trace;
  final StripeMap stripes;
  final NnShards shards;
  private final Scenario scenario;
  private final JobSpec job;
  private final JobCoordinator coordinator;
  private final List<SimServer> servers = new ArrayList<>();
  private final List<SimWorker> workers = new ArrayList<>();
  private final Map<Long, SimProcess> byIncarnation = new HashMap<>();
  private final Map<NodeId, SimProcess> named = new HashMap<>();
  private final Set<SimWorker> condemned = new HashSet<>();
  private long nextIncarnation = 1000;
  private JobPhase phaseTold;
  private JobOutcome outcome;

  SimCluster(Scenario scenario, long seed, TraceLog trace) {
    this.scenario = scenario;
    this.trace = trace;
    job = scenario.job();
    stripes = job.stripeMap();
    shards = job.nnShards();
    schedule = new Schedule(seed);
    network = new SimNetwork(schedule, scenario.faults(), tally, trace);
    coordinator =
        new JobCoordinator(
            job, scenario.data(), new CoordinatorSettings(1, 42, job.retryNanos()), this);
  }

  Scenario scenario() {
    return scenario;
  }

  SimModel model() {
    return scenario.model();
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
    start();
    while (outcome == null) {
      require(
          schedule.nowNanos() < MAX_NANOS,
          Oracle.LIVENESS,
          () -> "still " + coordinator.phase() + " after " + schedule.steps() + " events");
      schedule.step();
    }
    settle(SETTLE_NANOS);
  }

  private void start() {
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
  }

  private void settle(long nanos) {
    for (long end = schedule.nowNanos() + nanos; schedule.nowNanos() < end; ) {
      schedule.step();
    }
  }

  private void tickCoordinator() {
    coordinator.tick(schedule.nowNanos());
    tellPhase();
    schedule.in(tickNanos(), this::tickCoordinator);
  }

  private void tellPhase() {
    if (coordinator.phase() != phaseTold) {
      phaseTold = coordinator.phase();
      trace.add(schedule.nowNanos(), () -> "coordinator: " + phaseTold);
    }
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
      tally.count(FaultKind.WORKERS_FENCED_ALIVE);
      victim.log(() -> "is going to be fenced alive");
      victim.pause(schedule.draw(4 * job.retryNanos())); // Comes back as a ghost.
    } else {
      tally.count(FaultKind.WORKERS_KILLED);
      victim.log(() -> "is killed");
      victim.die();
    }
    schedule.in(
        noticedAfter,
        () -> {
          trace.add(schedule.nowNanos(), () -> victim + " is declared dead");
          coordinator.onNodeDown(node, victim.incarnation, "killed", schedule.nowNanos());
        });
  }

  void toCoordinator(SimProcess from, boolean lossy, ControlMessage message) {
    network.control(
        from.incarnation,
        0,
        lossy,
        () -> {
          schedule.note(from.incarnation, message.getClass().getSimpleName().hashCode());
          if (trace.on()) {
            String text = MessageText.of((Record) message);
            trace.add(schedule.nowNanos(), () -> from + " -> coordinator  " + text);
          }
          coordinator.on(message, schedule.nowNanos());
          tellPhase();
        });
  }

  @Override
  public void named(NodeId node, long incarnation) {
    trace.add(schedule.nowNanos(), () -> "process " + incarnation + " is named " + node);
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
    trace.add(schedule.nowNanos(), () -> "outcome: " + outcome);
    this.outcome = outcome;
  }

  @Override
  public void progress(JobProgress progress) {
    require(progress.workers() <= job.workers(), Oracle.DECISIONS, progress::toString);
  }

  JobOutcome outcome() {
    return outcome;
  }

  /** Servers by index. */
  List<SimServer> servers() {
    return servers.stream().sorted(Comparator.comparingInt(SimServer::index)).toList();
  }

  /** Frames that endpoints refused because of a stale epoch or a fenced process. */
  long refusedFrames() {
    return servers.stream()
        .mapToLong(
            s -> s.endpoint().counters().fenced.sum() + s.endpoint().counters().staleEpoch.sum())
        .sum();
  }

  @Override
  public void close() {
    servers.forEach(SimProcess::die);
    workers.forEach(SimProcess::die);
    network.close();
  }
}
