package io.holdfast.system.sim;

import io.holdfast.config.control.ControlMessage;
import io.holdfast.config.control.JobControl;
import io.holdfast.config.control.ServerControl;
import io.holdfast.config.placement.Member;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.placement.PlacementMap;
import io.holdfast.config.protocol.DataMessage;
import io.holdfast.config.protocol.TxId;
import io.holdfast.config.transport.Endpoint;
import io.holdfast.server.ServerCore;
import io.holdfast.server.storage.MemorySettings;
import io.holdfast.server.storage.RefusedException;
import io.holdfast.worker.SteppedWorker.Made;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * The real server core behind the real endpoint, driven as its agent drives it. Sees from outside
 * which transactions it applies: while a message is handled that may let it apply some, its counts
 * of updates must rise by as much as those make, and never otherwise.
 */
final class SimServer extends SimProcess {
  private Endpoint endpoint;
  private ServerCore core;
  private int index;
  private int[] ownShards;

  /** Whether it took a lost server's place, or is about to. */
  private boolean replaces;

  private boolean owner;

  /** Servers for which it ever stood in. */
  private final Set<Integer> stoodInFor = new HashSet<>();

  SimServer(SimCluster cluster, long incarnation) {
    super(cluster, incarnation);
  }

  ServerCore core() {
    return core;
  }

  Endpoint endpoint() {
    return endpoint;
  }

  /** Whether it has its share, or had when it died. */
  boolean isOwner() {
    return owner;
  }

  /** Whether it was started. */
  boolean isStarted() {
    return core != null;
  }

  /** Its number; known once it was started. */
  int index() {
    return index;
  }

  @Override
  void poll() {
    if (endpoint != null) {
      endpoint.drain();
      endpoint.poll(this::onMessage, Integer.MAX_VALUE);
    }
  }

  private void onMessage(NodeId from, DataMessage message) {
    logFrame(from, message);
    cluster.seams.serverGets(this, from, message, this::handle);
  }

  private void handle(NodeId from, DataMessage message) {
    int owner =
        switch (message) {
          case DataMessage.Commit commit -> commit.owner();
          case DataMessage.Stage stage -> stage.header().owner();
          default -> index;
        };
    observed(
        owner == index ? mayApply(message) : List.of(),
        owner == index ? List.of() : mayApply(message),
        () -> core.onMessage(from, message, cluster.schedule.nowNanos()));
  }

  private List<TxId> mayApply(DataMessage message) {
    return switch (message) {
      case DataMessage.Commit commit -> List.of(commit.tx());
      case DataMessage.Stage stage when cluster.onePhase() -> List.of(stage.header().tx());
      default -> List.of();
    };
  }

  @Override
  void onTick() {
    if (core != null) {
      observed(List.of(), List.of(), () -> core.tick(cluster.schedule.nowNanos()));
      core.flush();
    }
  }

  /** An agent flushes after each batch of frames; sometimes that is only the next one. */
  @Override
  void afterWork() {
    if (core != null && cluster.schedule.chance(0.5)) {
      core.flush();
    }
  }

  @Override
  void onControl(ControlMessage message) {
    switch (message) {
      case ServerControl.StartServer start -> {
        if (core == null) {
          start(start);
        }
        tell(new ServerControl.ServerReady(start.self(), core.reservedBytes()));
      }
      case ServerControl.AdoptEpoch adopt -> {
        PlacementMap map = cluster.seams.map(this, adopt.map());
        if (core.mustBeginAnew(map)) {
          log(() -> "begins anew");
          core.close();
          core = core(map);
        }
        boolean newer = endpoint.adopt(map);
        log(() -> newer ? "is in epoch " + map.epoch() : "knows that epoch");
        Set<Integer> before = Set.copyOf(core.acting().keySet());
        control(List.of(), new ServerControl.AdoptEpoch(map));
        core.acting().keySet().stream()
            .filter(lost -> !before.contains(lost))
            .forEach(this::inherit);
        if (!owner && map.member(endpoint.self().node()).filter(m -> !m.isCopying()).isPresent()) {
          owner = true;
          log(() -> "has taken the lost server's place");
          cluster.onReplaced(this);
        }
      }
      case ServerControl.ResolveWorker resolve ->
          control(
              resolve.committed().stream()
                  .sorted()
                  .map(each -> new TxId(resolve.worker(), resolve.incarnation(), each))
                  .toList(),
              resolve);
      case JobControl.Registered registered -> {
        // StartServer names it again.
      }
      case JobControl.Stop stop -> {
        // Goes on, so that its values can be looked at.
      }
      default -> {
        if (core != null) {
          control(List.of(), message);
        } else if (message instanceof JobControl.RegistrationRefused) {
          die();
        }
      }
    }
  }

  private void control(List<TxId> mayApply, ControlMessage message) {
    cluster.seams.serverIsTold(
        this,
        message,
        told ->
            observed(mayApply, mayApply, () -> core.onControl(told, cluster.schedule.nowNanos())));
  }

  /** Notes what this server begins with when it begins to stand in. */
  private void inherit(int lost) {
    if (!stoodInFor.add(lost)) {
      cluster.onStoodInAgain(lost);
    }
    for (long row = 0; row < cluster.stripes.rows(); row++) {
      long place = core.parities().placeOf(row / cluster.stripes.k());
      if (cluster.stripes.serverOfRow(row) == lost && place >= 0) {
        int member = (int) (row % cluster.stripes.k());
        cluster.history.inheritedRow(row, core.parities().counter(place, member));
      }
    }
    for (int shard = lost; shard < cluster.shards.count(); shard += cluster.shards.servers()) {
      if (isPrimary(shard)) {
        cluster.history.inheritedShard(shard, Memory.shardUpdates(core, shard));
      }
    }
  }

  private boolean isPrimary(int shard) {
    try {
      core.nn().version(shard);
      return true;
    } catch (RefusedException e) {
      return false;
    }
  }

  /** Updates that are made for lost servers. */
  private long standInUpdates(int lost) {
    if (!core.acting().containsKey(lost)) {
      return 0;
    }
    long sum = core.acting().get(lost).rows().updates();
    for (int shard = lost; shard < cluster.shards.count(); shard += cluster.shards.servers()) {
      sum += isPrimary(shard) ? Memory.shardUpdates(core, shard) : 0;
    }
    return sum;
  }

  /**
   * Lets the core do something and sees what it applied.
   *
   * @param mayStandIn what it may apply for lost servers; what had to wait may be applied any time
   */
  private void observed(List<TxId> mayApply, List<TxId> mayStandIn, Runnable step) {
    Map<Integer, Long> before = new TreeMap<>();
    core.acting().keySet().forEach(lost -> before.put(lost, standInUpdates(lost)));
    observed(mayApply, step);
    before.forEach(
        (lost, updates) -> {
          if (standInUpdates(lost) > updates) {
            log(() -> "applied for server-" + lost + ": " + mayStandIn);
            cluster.history.standInApplied(lost, index, mayStandIn);
          }
        });
  }

  private void observed(List<TxId> mayApply, Runnable step) {
    long rowsBefore = core.rows().updates();
    long shardsBefore = shardUpdates();
    step.run();
    long rows = core.rows().updates() - rowsBefore;
    long shards = shardUpdates() - shardsBefore;
    if (replaces) {
      // Some of it may have been applied before, by others.
      BrokenInvariant.require(
          rows == 0 || mayApply.stream().anyMatch(cluster.history::isDecided),
          Oracle.DECISIONS,
          () -> this + " updated " + rows + " rows, of " + mayApply);
      return;
    }
    if (rows == 0 && shards == 0) {
      return;
    }
    long expectedRows = 0;
    long expectedShards = 0;
    List<TxId> applied = new ArrayList<>();
    for (TxId tx : mayApply) {
      Made made = cluster.history.of(tx);
      if (made == null || cluster.history.isApplied(index, tx)) {
        continue;
      }
      int part = History.rowsAt(made, cluster.stripes, index).size();
      if (part > 0 || ownShards.length > 0) {
        expectedRows += part;
        expectedShards += ownShards.length;
        log(() -> "applied " + tx + ": " + part + " rows, " + ownShards.length + " NN shards");
        cluster.history.applied(index, tx);
        cluster.onApplied(this);
        applied.add(tx);
      }
    }
    applied.forEach(tx -> cluster.seams.applied(this, tx));
    String seen = rows + " rows and " + shards + " NN shards, should be ";
    String right = expectedRows + " and " + expectedShards;
    BrokenInvariant.require(
        rows == expectedRows && shards == expectedShards,
        Oracle.DECISIONS,
        () -> this + " updated " + seen + right + " for " + mayApply);
  }

  private long shardUpdates() {
    long sum = 0;
    try {
      for (int shard : ownShards) {
        sum += core.nn().version(shard).counter();
      }
    } catch (RefusedException e) {
      throw new IllegalStateException("an own shard is refused", e);
    }
    return sum;
  }

  private void start(ServerControl.StartServer start) {
    NodeId self = start.self();
    index = self.index();
    ownShards =
        IntStream.range(0, cluster.shards.count())
            .filter(shard -> cluster.shards.primary(shard) == index)
            .toArray();
    endpoint =
        new Endpoint(
            new Member(self, incarnation, ""), cluster.network.open(self, incarnation, this::wake));
    replaces = start.map().member(self).isEmpty();
    owner = !replaces;
    core = core(start.map());
    if (!replaces) {
      cluster.model().initialise(core);
    }
    endpoint.adopt(start.map());
  }

  private ServerCore core(PlacementMap map) {
    return new ServerCore(
        endpoint.self().node(),
        cluster.scenario().job(),
        map,
        MemorySettings.DEFAULT,
        (to, message) -> cluster.seams.serverSends(this, to, message, endpoint),
        this::tell,
        endpoint.counters());
  }

  /** Says something to the coordinator. */
  void tell(ControlMessage message) {
    cluster.toCoordinator(this, false, message);
  }

  @Override
  public void close() {
    if (core != null) {
      core.close();
      endpoint.close();
    }
  }

  @Override
  public String toString() {
    return (endpoint == null ? "server" : endpoint.self().node()) + "/" + incarnation;
  }
}
