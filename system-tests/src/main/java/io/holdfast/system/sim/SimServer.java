package io.holdfast.system.sim;

import io.holdfast.config.control.ControlMessage;
import io.holdfast.config.control.JobControl;
import io.holdfast.config.control.ServerControl;
import io.holdfast.config.placement.Member;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.protocol.DataMessage;
import io.holdfast.config.protocol.TxId;
import io.holdfast.config.transport.Endpoint;
import io.holdfast.server.ServerCore;
import io.holdfast.server.storage.MemorySettings;
import io.holdfast.server.storage.RefusedException;
import io.holdfast.worker.SteppedWorker.Made;
import java.util.List;
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

  SimServer(SimCluster cluster, long incarnation) {
    super(cluster, incarnation);
  }

  ServerCore core() {
    return core;
  }

  Endpoint endpoint() {
    return endpoint;
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
      core.flush();
    }
  }

  private void onMessage(NodeId from, DataMessage message) {
    logFrame(from, message);
    List<TxId> mayApply =
        message instanceof DataMessage.Commit commit ? List.of(commit.tx()) : List.of();
    observed(mayApply, () -> core.onMessage(from, message, cluster.schedule.nowNanos()));
  }

  @Override
  void onTick() {
    if (core != null) {
      core.tick(cluster.schedule.nowNanos());
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
        endpoint.adopt(adopt.map());
        control(List.of(), adopt);
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
      default -> control(List.of(), message);
    }
  }

  private void control(List<TxId> mayApply, ControlMessage message) {
    observed(mayApply, () -> core.onControl(message, cluster.schedule.nowNanos()));
  }

  /** Lets the core do something and sees what it applied. */
  private void observed(List<TxId> mayApply, Runnable step) {
    long rowsBefore = core.rows().updates();
    long shardsBefore = shardUpdates();
    step.run();
    long rows = core.rows().updates() - rowsBefore;
    long shards = shardUpdates() - shardsBefore;
    if (rows == 0 && shards == 0) {
      return;
    }
    long expectedRows = 0;
    long expectedShards = 0;
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
      }
    }
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
    core =
        new ServerCore(
            self,
            start.job(),
            start.map(),
            MemorySettings.DEFAULT,
            endpoint,
            this::tell,
            endpoint.counters());
    cluster.model().initialise(core);
    endpoint.adopt(start.map());
  }

  private void tell(ControlMessage message) {
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
