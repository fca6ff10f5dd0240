package io.holdfast.recovery;

import io.holdfast.config.control.ControlMessage;
import io.holdfast.config.control.ServerControl.CommittedRanges;
import io.holdfast.config.control.ServerControl.QueryRanges;
import io.holdfast.config.control.ServerControl.QueryStatistics;
import io.holdfast.config.control.ServerControl.RangeRecord;
import io.holdfast.config.control.ServerControl.ServerStatistics;
import io.holdfast.config.placement.NodeId;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiConsumer;

/**
 * Asks all live servers, when all is trained, what they committed and what it took. If one of them
 * is lost meanwhile, another count begins when its deputy has the epoch without it.
 */
final class FinalCount {
  private final List<NodeId> servers;
  private final long query;
  private final long repeatNanos;
  private final BiConsumer<NodeId, ControlMessage> effects;
  private final Map<NodeId, List<RangeRecord>> ranges = new TreeMap<>(PlacementEpochs.ORDER);
  private final Map<NodeId, ServerStatistics> statistics = new TreeMap<>(PlacementEpochs.ORDER);
  private long askedNanos;

  FinalCount(
      List<NodeId> servers,
      long query,
      long repeatNanos,
      BiConsumer<NodeId, ControlMessage> effects,
      long nowNanos) {
    this.servers = List.copyOf(servers);
    this.query = query;
    this.repeatNanos = repeatNanos;
    this.effects = effects;
    ask(nowNanos);
  }

  void on(CommittedRanges message) {
    if (message.query() == query && servers.contains(message.server())) {
      ranges.putIfAbsent(message.server(), message.ranges());
    }
  }

  void on(ServerStatistics message) {
    if (servers.contains(message.server())) {
      statistics.putIfAbsent(message.server(), message);
    }
  }

  void tick(long nowNanos) {
    if (!complete() && nowNanos - askedNanos >= repeatNanos) {
      ask(nowNanos);
    }
  }

  boolean complete() {
    return ranges.keySet().containsAll(servers) && statistics.keySet().containsAll(servers);
  }

  Collection<List<RangeRecord>> ranges() {
    return ranges.values();
  }

  List<ServerStatistics> statistics() {
    return List.copyOf(statistics.values());
  }

  private void ask(long nowNanos) {
    askedNanos = nowNanos;
    for (NodeId server : servers) {
      if (!ranges.containsKey(server)) {
        effects.accept(server, new QueryRanges(query));
      }
      if (!statistics.containsKey(server)) {
        effects.accept(server, new QueryStatistics());
      }
    }
  }
}
