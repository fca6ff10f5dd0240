package io.holdfast.system.sim;

import io.holdfast.config.control.ControlMessage;
import io.holdfast.config.control.JobControl;
import io.holdfast.config.control.ServerControl;
import io.holdfast.config.placement.Member;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.transport.Endpoint;
import io.holdfast.server.ServerCore;
import io.holdfast.server.storage.MemorySettings;

/** The real server core behind the real endpoint, driven as its agent drives it. */
final class SimServer extends SimProcess {
  private Endpoint endpoint;
  private ServerCore core;

  SimServer(SimCluster cluster, long incarnation) {
    super(cluster, incarnation);
  }

  ServerCore core() {
    return core;
  }

  Endpoint endpoint() {
    return endpoint;
  }

  @Override
  void poll() {
    if (endpoint != null) {
      endpoint.drain();
      endpoint.poll(
          (from, message) -> core.onMessage(from, message, cluster.schedule.nowNanos()),
          Integer.MAX_VALUE);
    }
  }

  @Override
  void onTick() {
    // Servers only answer.
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
        core.onControl(adopt, cluster.schedule.nowNanos());
      }
      case JobControl.Registered registered -> {
        // StartServer names it again.
      }
      case JobControl.Stop stop -> {
        // Goes on, so that its values can be looked at.
      }
      default -> core.onControl(message, cluster.schedule.nowNanos());
    }
  }

  private void start(ServerControl.StartServer start) {
    NodeId self = start.self();
    endpoint =
        new Endpoint(
            new Member(self, incarnation, ""), cluster.network.open(self, incarnation, this::wake));
    core =
        new ServerCore(
            self, start.job(), start.map(), MemorySettings.DEFAULT, endpoint, this::tell, () -> 0);
    cluster.model.initialise(core);
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
}
