package io.holdfast.system.sim;

import static io.holdfast.system.sim.BrokenInvariant.require;

import io.holdfast.config.control.ControlMessage;
import io.holdfast.config.control.Register;
import io.holdfast.config.control.ServerControl.ResolveWorker;
import io.holdfast.config.job.CommitMode;
import io.holdfast.config.job.JobSpec;
import io.holdfast.config.job.StandIns;
import io.holdfast.config.placement.Epoch;
import io.holdfast.config.placement.Member;
import io.holdfast.config.placement.NnShards;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.placement.PlacementMap;
import io.holdfast.config.placement.StripeMap;
import io.holdfast.recovery.CoordinatorEffects;
import io.holdfast.recovery.CoordinatorSettings;
import io.holdfast.recovery.JobCoordinator;
import io.holdfast.recovery.JobOutcome;
import io.holdfast.recovery.JobOutcome.JobTrained;
import io.holdfast.recovery.JobPhase;
import io.holdfast.recovery.JobProgress;
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
  private static final long MAX_NANOS = 20_000_000;
  private static final long SETTLE_NANOS = 200_000;
  private static final int STANDSTILL_RETRIES = 6;

  final Schedule schedule;
  final SimNetwork network;
  final History history;
  final FaultTally tally = new FaultTally();
  final TraceLog trace;
  final Seams seams;
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

  /** Servers that die once they have applied another transaction. */
  private final Set<SimServer> doomed = new HashSet<>();

  /** Whose places were taken by other processes. */
  private final Set<Integer> replaced = new HashSet<>();

  private boolean wholeTold = true;
  private long nextIncarnation = 1000;
  private JobPhase phaseTold;
  private JobOutcome outcome;
  private long serverDiedNanos;

  SimCluster(Scenario scenario, long seed, TraceLog trace, Seams seams) {
    this.scenario = scenario;
    this.trace = trace;
    this.seams = seams;
    job = scenario.job();
    history = new History(onePhase());
    stripes = job.stripeMap();
    shards = job.nnShards();
    schedule = new Schedule(seed);
    network = new SimNetwork(schedule, scenario.faults(), tally, trace, seams);
    coordinator =
        new JobCoordinator(
            job,
            scenario.data(),
            new CoordinatorSettings(1, 42, job.retryNanos(), scenario.faults().spares()),
            this);
  }

  Scenario scenario() {
    return scenario;
  }

  /** Whether servers apply what they have without waiting for a decision. */
  boolean onePhase() {
    return job.commit() == CommitMode.ONE_PHASE;
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

  /**
   * Runs the job to its end and lets stragglers arrive. If a server dies the job stands still: then
   * the others' streams are given time to end, with workers and then without.
   */
  void run() {
    start();
    while (outcome == null && !standsStill()) {
      require(
          schedule.nowNanos() < MAX_NANOS,
          Oracle.LIVENESS,
          () -> "still " + coordinator.phase() + " after " + schedule.steps() + " events");
      schedule.step();
    }
    if (outcome == null) {
      trace.add(schedule.nowNanos(), () -> "a server is dead: workers are taken away");
      workers.forEach(SimProcess::die);
    }
    settle(SETTLE_NANOS);
    while (isReplacing()) {
      require(
          schedule.nowNanos() < MAX_NANOS,
          Oracle.LIVENESS,
          () -> "no new server has taken a lost one's place by " + schedule.nowNanos());
      schedule.step();
      if (!isReplacing()) {
        settle(SETTLE_NANOS);
      }
    }
  }

  /** Whether a lost server's place is still to be taken by somebody who is there. */
  private boolean isReplacing() {
    return scenario.faults().told()
        && outcome instanceof JobTrained
        && servers().stream().anyMatch(SimProcess::isDead)
        && servers.stream().anyMatch(server -> !server.isDead() && !server.isOwner());
  }

  private boolean standsStill() {
    long now = schedule.nowNanos();
    return serverDiedNanos > 0
        && now > scenario.faults().untilNanos()
        && now > serverDiedNanos + STANDSTILL_RETRIES * job.retryNanos();
  }

  private void start() {
    for (int i = 0; i < job.servers(); i++) {
      startServer(i);
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
    if (faults.serverDeaths() > 0) {
      long at = schedule.draw(faults.untilNanos());
      for (int i = 0; i < faults.serverDeaths(); i++) {
        schedule.at(at, this::killServer);
        at += schedule.draw(2 * job.retryNanos());
      }
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

  private void startServer(int preferred) {
    SimServer server = new SimServer(this, nextIncarnation++);
    servers.add(server);
    byIncarnation.put(server.incarnation, server);
    registerServer(server, preferred);
  }

  /** As its actor does, until it is started. */
  private void registerServer(SimServer server, int preferred) {
    if (server.isDead() || server.isStarted()) {
      return;
    }
    toCoordinator(
        server,
        false,
        new Register(
            NodeId.Role.SERVER, preferred, server.incarnation, "", server.incarnation, null));
    if (scenario.faults().spares() > 0) {
      schedule.in(20 * job.retryNanos(), () -> registerServer(server, preferred));
    }
  }

  private void startSpare() {
    startServer(-1);
    SimServer started = servers.getLast();
    if (schedule.chance(0.3)) {
      schedule.in(
          schedule.draw(20 * job.retryNanos()),
          () -> {
            if (!started.isDead() && !started.isOwner()) {
              tally.count(FaultKind.SPARES_KILLED);
              kill(started);
            }
          });
    }
  }

  /** A server has taken a lost one's place: another one may die now. */
  void onReplaced(SimServer server) {
    tally.count(FaultKind.SERVERS_REPLACED);
    replaced.add(server.index());
    if (schedule.chance(0.5)) {
      schedule.in(
          schedule.draw(4 * job.retryNanos()),
          () -> {
            if (coordinator.phase() == JobPhase.TRAINING && isWhole()) {
              List<SimServer> all = servers();
              kill(all.get((int) schedule.draw(all.size())));
              if (schedule.chance(0.5)) {
                schedule.in(schedule.draw(4 * job.retryNanos()), this::startSpare);
              }
            }
          });
    }
  }

  /** The process that was to take a server's place died when some had seen it there. */
  void onStoodInAgain(int server) {
    replaced.add(server);
  }

  /** Whether all servers are there and have their shares, as the coordinator sees it. */
  private boolean isWhole() {
    return wholeTold && servers().stream().noneMatch(SimProcess::isDead);
  }

  /** Whether a server's place was taken by another process, at least once. */
  boolean isReplaced(int server) {
    return replaced.contains(server);
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
    SimProcess somebody = all.get((int) schedule.draw(all.size()));
    if (!somebody.isDead()) {
      somebody.pause(schedule.draw(4 * job.retryNanos()));
    }
  }

  private void killServer() {
    List<SimServer> live = servers().stream().filter(s -> !s.isDead()).toList();
    if (coordinator.phase() != JobPhase.TRAINING) {
      return;
    }
    SimServer victim = live.get((int) schedule.draw(live.size()));
    if (schedule.chance(0.5)) {
      kill(victim);
    } else {
      doomed.add(victim);
    }
  }

  /** A server has just applied something: the worst moment to die is soon. */
  void onApplied(SimServer server) {
    if (doomed.remove(server)) {
      schedule.in(
          schedule.draw(scenario.faults().delayNanos()),
          () -> {
            if (coordinator.phase() == JobPhase.TRAINING) {
              kill(server);
            }
          });
    }
  }

  /** Kills a server; nobody is told. */
  void kill(SimServer victim) {
    tally.count(FaultKind.SERVERS_KILLED);
    victim.log(() -> "is killed");
    victim.die();
    network.died(victim.incarnation);
    if (scenario.faults().told()) {
      schedule.in(schedule.draw(2 * job.retryNanos()), () -> declareDead(victim));
      if (victim.isOwner() && replaced.isEmpty()) {
        for (int i = 0; i < scenario.faults().spares(); i++) {
          schedule.in(schedule.draw(10 * job.retryNanos()), this::startSpare);
        }
      }
    } else {
      serverDiedNanos = schedule.nowNanos();
    }
  }

  /** Kills a worker; nobody is told. */
  void kill(SimWorker victim) {
    tally.count(FaultKind.WORKERS_KILLED);
    victim.log(() -> "is killed");
    victim.die();
    network.died(victim.incarnation);
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
      noticedAfter = 50 * job.retryNanos();
    } else if (schedule.chance(0.5)) {
      schedule.in(schedule.draw(2 * job.retryNanos()), () -> startWorker(node.index()));
    }
    if (schedule.chance(0.3)) {
      tally.count(FaultKind.WORKERS_FENCED_ALIVE);
      victim.log(() -> "is going to be fenced alive");
      victim.pause(schedule.draw(4 * job.retryNanos())); // Comes back as a ghost.
    } else {
      kill(victim);
    }
    schedule.in(noticedAfter, () -> declareDead(victim));
  }

  /** Tells the coordinator that a worker is dead. */
  void declareDead(SimWorker victim) {
    trace.add(schedule.nowNanos(), () -> victim + " is declared dead");
    coordinator.onNodeDown(victim.self(), victim.incarnation, "killed", schedule.nowNanos());
  }

  private void declareDead(SimServer victim) {
    trace.add(schedule.nowNanos(), () -> victim + " is declared dead");
    coordinator.onCandidateDown(victim.incarnation);
    for (int server = 0; server < job.servers(); server++) {
      coordinator.onNodeDown(
          NodeId.server(server), victim.incarnation, "killed", schedule.nowNanos());
    }
  }

  /** Who stands in for dead servers, if the coordinator was told of them. */
  StandIns standIns() {
    List<Member> alive =
        servers().stream()
            .filter(server -> !server.isDead())
            .map(server -> new Member(NodeId.server(server.index()), server.incarnation, ""))
            .toList();
    return StandIns.of(job, new PlacementMap(Epoch.NONE, 0, alive));
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
    wholeTold = progress.lost().isEmpty();
  }

  JobOutcome outcome() {
    return outcome;
  }

  /** All workers that ever were. */
  List<SimWorker> workers() {
    return workers;
  }

  /** Servers by index: who has the place, or had it last. */
  List<SimServer> servers() {
    TreeMap<Integer, SimServer> byIndex = new TreeMap<>();
    for (SimServer server : servers) {
      if (server.isStarted() && server.isOwner()) {
        byIndex.put(server.index(), server);
      }
    }
    return List.copyOf(byIndex.values());
  }

  /** Frames that endpoints refused because of a stale epoch or a fenced process. */
  long refusedFrames() {
    return servers.stream()
        .filter(s -> !s.isDead() && s.isStarted())
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
