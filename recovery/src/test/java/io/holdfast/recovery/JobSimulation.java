package io.holdfast.recovery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.config.control.ControlMessage;
import io.holdfast.config.control.Register;
import io.holdfast.config.job.JobSpec;
import io.holdfast.config.job.Redundancy;
import io.holdfast.config.job.StandIns;
import io.holdfast.config.job.SyncMode;
import io.holdfast.config.placement.Backups;
import io.holdfast.config.placement.Epoch;
import io.holdfast.config.placement.Member;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.placement.PlacementMap;
import io.holdfast.config.protocol.Participants;
import io.holdfast.recovery.JobOutcome.JobFailed;
import io.holdfast.recovery.JobOutcome.JobLost;
import io.holdfast.recovery.JobOutcome.JobTrained;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;

/**
 * A whole job in one thread: the coordinator as it is, servers and workers reduced to what concerns
 * it, a network that reorders between pairs and repeats, workers and servers that die, or are only
 * believed dead, at any moment. The oracle looks at what servers applied, not at what anybody says.
 */
final class JobSimulation implements CoordinatorEffects {
  private static final int MAX_EVENTS = 300_000;

  /** Nobody repeats anything while so many messages wait: else they become more and more. */
  private static final int MAX_WAITING = 300;

  /** What a run is like; drawn from the seed. */
  record Shape(
      int servers,
      int workers,
      SyncMode sync,
      int staleness,
      boolean deterministic,
      int window,
      int batch,
      double badLines,
      int deaths,
      boolean replacements,
      int k,
      int serverDeaths,
      TrainingData data) {}

  final SimNetwork network;
  private final Random random;
  private final Shape shape;
  private final long linesSeed;
  private final JobSpec job;
  private final JobCoordinator coordinator;
  private final List<List<Integer>> holders;
  private final List<SimServer> servers = new ArrayList<>();
  private final List<SimWorker> workers = new ArrayList<>();
  private final Map<Long, Object> byIncarnation = new HashMap<>();
  private final Map<NodeId, Object> named = new LinkedHashMap<>();
  private final List<Runnable> later = new ArrayList<>();
  private final List<JobOutcome> outcomes = new ArrayList<>();
  private long nowNanos;
  private long nextIncarnation = 1000;
  private int deathsLeft;
  private int serverDeathsLeft;
  private int eventsSinceDeath = Integer.MAX_VALUE / 2;
  private boolean serverDiedEarly;

  /** Servers that were killed or believed to be dead, and of them those whose death was told. */
  private final Set<Integer> doomed = new HashSet<>();

  private final Set<Integer> lost = new TreeSet<>();

  /** What workers know to be applied everywhere. */
  final Set<SimTransaction> acknowledged = new HashSet<>();

  /** Transactions in the order in which each was applied first. */
  final Set<SimTransaction> order = new LinkedHashSet<>();

  /**
   * A job.
   *
   * @param shape of the job and its data
   * @param linesSeed which lines are bad, who takes part in which transaction
   * @param networkSeed everything else
   */
  JobSimulation(Shape shape, long linesSeed, long networkSeed) {
    this.shape = shape;
    this.linesSeed = linesSeed;
    this.random = new Random(networkSeed);
    this.network = new SimNetwork(random, random.nextInt(3) == 0 ? 0.2 : 0.0);
    this.deathsLeft = shape.deaths();
    this.serverDeathsLeft = shape.serverDeaths();
    this.job =
        TestJobs.job(
            shape.servers(),
            shape.workers(),
            shape.sync(),
            shape.staleness(),
            shape.deterministic(),
            shape.window(),
            shape.batch(),
            shape.k() == 0 ? Redundancy.NONE : Redundancy.of("xor", shape.k(), 1));
    this.holders = IntStream.range(0, shape.servers()).mapToObj(this::holdersOf).toList();
    this.coordinator =
        new JobCoordinator(job, shape.data(), new CoordinatorSettings(1, 42, 2_000), this);
  }

  /** Runs until the job's end; returns what is wrong as an assertion error. */
  JobOutcome run() {
    for (int i = 0; i < shape.servers(); i++) {
      SimServer server = new SimServer(this, nextIncarnation++);
      servers.add(server);
      byIncarnation.put(server.incarnation, server);
      toCoordinator(server, register(NodeId.Role.SERVER, server.incarnation, i));
    }
    for (int i = 0; i < shape.workers(); i++) {
      startWorker(i);
    }
    for (int event = 0; outcomes.isEmpty(); event++) {
      assertTrue(event < MAX_EVENTS, "no end in sight, " + coordinator.phase() + " " + workers);
      step();
    }
    JobOutcome outcome = outcomes.getFirst();
    if (outcome instanceof JobTrained trained) {
      check(trained.totals());
      assertEquals(lost.isEmpty(), trained.warnings().isEmpty(), trained.warnings().toString());
    } else if (outcome instanceof JobLost gone) {
      assertTrue(!lost.isEmpty(), gone.toString());
      assertTrue(
          shape.k() == 0 || serverDiedEarly || standIns(lost).missing().isPresent(),
          "others could stand in: " + gone);
    } else if (outcome instanceof JobFailed failed
        && failed.kind() == JobOutcome.FailureKind.WORKERS) {
      assertTrue(deathsLeft < shape.deaths(), "somebody must have died");
      assertTrue(
          workers.stream()
              .allMatch(
                  worker -> worker.dead || worker.self == null || believedDead.contains(worker)),
          "there is a worker left");
    }
    return outcome;
  }

  private final Set<SimWorker> believedDead = new HashSet<>();

  private void startWorker(int preferred) {
    SimWorker worker = new SimWorker(this, nextIncarnation++, preferred);
    workers.add(worker);
    byIncarnation.put(worker.incarnation, worker);
    toCoordinator(worker, register(NodeId.Role.WORKER, worker.incarnation, preferred));
  }

  private static Register register(NodeId.Role role, long incarnation, int preferred) {
    return new Register(role, preferred, incarnation, "host:" + role + preferred, 1, null);
  }

  private void step() {
    eventsSinceDeath++;
    nowNanos += random.nextInt(10);
    int dice = random.nextInt(100);
    if (dice < 3) {
      coordinator.tick(nowNanos);
    } else if (dice < 6 && network.waiting() < MAX_WAITING) {
      SimWorker worker = workers.get(random.nextInt(workers.size()));
      if (worker.self == null && !worker.dead) {
        toCoordinator(worker, register(NodeId.Role.WORKER, worker.incarnation, worker.preferred));
      }
      worker.repeat();
    } else if (dice < 8 && !later.isEmpty()) {
      later.remove(random.nextInt(later.size())).run();
    } else if (serverDeathsLeft > 0 && random.nextInt(serverDeathIn()) == 0) {
      kill(servers.get(random.nextInt(servers.size())));
    } else if (deathsLeft > 0 && random.nextInt(150) == 0) {
      kill(workers.get(random.nextInt(workers.size())));
    } else {
      network.deliver();
    }
  }

  private void kill(SimWorker worker) {
    if (worker.dead || worker.self == null || believedDead.contains(worker)) {
      return;
    }
    deathsLeft--;
    eventsSinceDeath = 0;
    believedDead.add(worker);
    if (random.nextInt(4) != 0) {
      worker.dead = true;
      network.lose(worker);
    }
    boolean gathering = coordinator.phase() == JobPhase.GATHERING;
    int kind = gathering ? 1 : shape.replacements() ? random.nextInt(3) : 0;
    if (kind == 2) {
      // Its successor is there before anybody noticed the death.
      startWorker(worker.self.index());
    }
    later.add(() -> coordinator.onNodeDown(worker.self, worker.incarnation, "killed", nowNanos));
    if (kind == 1) {
      later.add(() -> startWorker(worker.self.index()));
    }
  }

  /** The end, and the time after another death, are short and the most interesting. */
  private int serverDeathIn() {
    boolean counting = coordinator.phase() == JobPhase.COUNTING;
    return counting || eventsSinceDeath < 200 ? 50 : 200;
  }

  private void kill(SimServer server) {
    boolean early = coordinator.phase() == JobPhase.GATHERING || server.self == null;
    if (early || !doomed.add(server.self.index())) {
      return;
    }
    serverDeathsLeft--;
    if (random.nextInt(4) != 0) {
      server.dead = true;
      network.lose(server);
    }
    later.add(
        () -> {
          lost.add(server.self.index());
          serverDiedEarly |= coordinator.phase() == JobPhase.STARTING;
          coordinator.onNodeDown(server.self, server.incarnation, "killed", nowNanos);
        });
  }

  private StandIns standIns(Set<Integer> without) {
    List<Member> members =
        IntStream.range(0, shape.servers())
            .filter(server -> !without.contains(server))
            .mapToObj(server -> new Member(NodeId.server(server), 1, ""))
            .toList();
    return StandIns.of(job, new PlacementMap(new Epoch(1, 1), 1, members));
  }

  /** Who keeps what it takes to act for a server, and lives. */
  List<Integer> hosts(int owner, PlacementMap map) {
    return holders.get(owner).stream()
        .filter(host -> map.member(NodeId.server(host)).isPresent())
        .toList();
  }

  /** Who keeps a server's record of committed data. */
  int deputy(int owner) {
    return Backups.backup(owner, 0, shape.servers());
  }

  private List<Integer> holdersOf(int owner) {
    if (shape.k() == 0) {
      return List.of();
    }
    StandIns alone = standIns(Set.of(owner));
    return IntStream.range(0, shape.servers())
        .filter(server -> alone.standsIn(server, owner))
        .boxed()
        .toList();
  }

  /** Servers whose deaths were told. */
  Set<Integer> lost() {
    return lost;
  }

  /** Whoever started a surplus process tries again while the job waits for somebody. */
  void onRefused(SimWorker worker) {
    if (coordinator.phase() == JobPhase.GATHERING) {
      later.add(() -> startWorker(worker.preferred));
    }
  }

  void toCoordinator(Object from, ControlMessage message) {
    network.send(from, coordinator, () -> coordinator.on(message, nowNanos));
  }

  SimServer server(int index) {
    return (SimServer) named.get(NodeId.server(index));
  }

  boolean isGood(int file, long position) {
    long mixed = (linesSeed * 31 + file) * 1_000_003 + position;
    return new Random(mixed * 0x9E3779B97F4A7C15L).nextDouble() >= shape.badLines();
  }

  Participants participants(long salt) {
    int[] some =
        IntStream.range(0, shape.servers())
            .filter(server -> new Random(salt * 7919 + server * 31L).nextInt(4) != 0)
            .toArray();
    return some.length == 0 ? Participants.of(0) : Participants.of(some);
  }

  void onPull(SimWorker puller, SimTransaction tx) {
    boolean nobodyPauses = shape.deaths() == 0 && shape.data().iterations() == 0;
    if (!nobodyPauses || shape.sync() == SyncMode.ASYNC) {
      return;
    }
    int staleness = shape.sync() == SyncMode.SYNC ? 0 : shape.staleness();
    for (SimWorker worker : workers) {
      for (long step : worker.inFlight.keySet()) {
        assertTrue(
            step >= tx.id.sequence() - staleness,
            puller.self
                + " begins step "
                + tx.id.sequence()
                + " beside "
                + worker.self
                + "'s "
                + step);
      }
    }
  }

  void onApplied(SimTransaction tx) {
    order.add(tx);
  }

  /** All that any survivor has applied. */
  private Set<SimTransaction> committed() {
    Set<SimTransaction> committed = new LinkedHashSet<>();
    for (SimServer server : servers) {
      if (!lost.contains(server.self.index())) {
        committed.addAll(server.applied);
        lost.forEach(owner -> committed.addAll(server.folded.getOrDefault(owner, Set.of())));
      }
    }
    return committed;
  }

  /**
   * Whether a lost participant's part may be lost, too: its worker died as well, after it had
   * decided while that server was alive, and before it knew that all had applied it.
   */
  private boolean mayLack(SimTransaction tx, int owner) {
    return !acknowledged.contains(tx)
        && tx.aliveAtDecision.contains(owner)
        && believedDead.stream().anyMatch(each -> each.incarnation == tx.id.incarnation());
  }

  private void requireApplied(SimTransaction tx, int owner) {
    if (!lost.contains(owner)) {
      assertTrue(
          server(owner).applied.contains(tx), tx.id + " is applied, but not at server " + owner);
      return;
    }
    for (int host : holders.get(owner)) {
      assertTrue(
          lost.contains(host) || isFolded(tx, owner, host) || mayLack(tx, owner),
          tx.id + " is applied, but not at server " + host + " for lost server " + owner);
    }
  }

  private boolean isFolded(SimTransaction tx, int owner, int host) {
    return server(host).folded.getOrDefault(owner, Set.of()).contains(tx);
  }

  private boolean isRecorded(SimTransaction tx) {
    int recorder = tx.participants.recorder(tx.id);
    return lost.contains(recorder)
        ? isFolded(tx, recorder, deputy(recorder))
        : server(recorder).applied.contains(tx);
  }

  private void check(DataTotals totals) {
    Map<String, Set<SimTransaction>> byLine = new HashMap<>();
    long samples = 0;
    long repeated = 0;
    Set<SimTransaction> committed = committed();
    assertTrue(committed.containsAll(acknowledged), "what was acknowledged is there");
    for (SimTransaction tx : committed) {
      for (int i = 0; i < tx.participants.count(); i++) {
        requireApplied(tx, tx.participants.get(i));
      }
      if (!isRecorded(tx)) {
        repeated++;
        continue;
      }
      samples += tx.range.samples();
      for (long at = tx.range.from(); at < tx.range.to(); at++) {
        if (isGood(tx.range.file(), at)) {
          String line = tx.range.pass() + "/" + tx.range.file() + "/" + at;
          Set<SimTransaction> learned = byLine.computeIfAbsent(line, key -> new HashSet<>());
          assertTrue(learned.add(tx) && learned.size() == 1, "line " + line + " trained twice");
        }
      }
    }
    assertEquals(repeated, totals.repeated(), "repeated");
    assertEquals(committed.size(), totals.iterations(), "iterations");
    assertEquals(samples, totals.samples(), "samples");
    TrainingData data = shape.data();
    if (data.iterations() > 0) {
      assertEquals(data.iterations(), totals.iterations(), "iterations");
      return;
    }
    long good = 0;
    long bad = 0;
    for (Split split : data.splits()) {
      for (long at = split.from(); at < split.to(); at++) {
        if (isGood(split.file(), at)) {
          good++;
        } else {
          bad++;
        }
      }
    }
    assertEquals(good * data.passes(), totals.samples(), "every good line once per pass");
    assertEquals(good * data.passes(), byLine.size(), "every good line once per pass");
    assertEquals(bad * data.passes(), totals.skipped(), "every bad line once per pass");
  }

  @Override
  public void named(NodeId node, long incarnation) {
    named.put(node, byIncarnation.get(incarnation));
  }

  @Override
  public void send(NodeId to, ControlMessage message) {
    deliverTo(named.get(to), message);
  }

  @Override
  public void toUnregistered(long incarnation, ControlMessage message) {
    deliverTo(byIncarnation.get(incarnation), message);
  }

  private void deliverTo(Object process, ControlMessage message) {
    network.send(
        coordinator,
        process,
        () -> {
          if (process instanceof SimServer server) {
            server.on(message);
          } else {
            ((SimWorker) process).on(message);
          }
        });
  }

  @Override
  public void outcome(JobOutcome outcome) {
    outcomes.add(outcome);
  }

  @Override
  public void progress(JobProgress progress) {
    assertTrue(progress.workers() <= shape.workers());
  }
}
