package io.holdfast.server.rebuild;

import io.holdfast.config.placement.Member;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.placement.PlacementMap;
import io.holdfast.server.redundancy.Holder;
import io.holdfast.server.redundancy.Origin;
import io.holdfast.server.standin.StandIn;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Who is at the other servers' places: streams to and from a process begin when a map first names
 * it there, and again when it begins anew; whoever takes a lost one's place is given what is here.
 */
public final class Transfers {
  private final int self;
  private final Origin origin;
  private final Holder holder;
  private final Starter starter;

  /** Who is, or was last, at each place. */
  private final Member[] places;

  private final Map<Integer, Transfer> transfers = new TreeMap<>();

  /** Makes the transfer to a process that takes a lost server's place. */
  public interface Starter {
    /** It has nothing yet. */
    Transfer start(Member to);
  }

  /** Nobody is anywhere yet. */
  public Transfers(int self, int servers, Origin origin, Holder holder, Starter starter) {
    this.self = self;
    this.origin = origin;
    this.holder = holder;
    this.starter = starter;
    this.places = new Member[servers];
  }

  /**
   * A newer map.
   *
   * @return servers to whose place the same transfer goes on
   */
  public Set<Integer> onEpoch(PlacementMap map) {
    Set<Integer> going = new HashSet<>();
    for (int server = 0; server < places.length; server++) {
      Member now = map.member(NodeId.server(server)).orElse(null);
      if (server == self) {
        continue;
      }
      if (now != null && places[server] != null && beginsAnew(places[server], now)) {
        origin.restart(server);
        holder.restart(server);
        transfers.remove(server);
      }
      if (now == null || !now.isCopying()) {
        transfers.remove(server);
        origin.copied(server);
      } else if (map.member(NodeId.server(self)).filter(own -> !own.isCopying()).isPresent()) {
        if (transfers.containsKey(server)) {
          going.add(server);
        } else {
          transfers.put(server, starter.start(now));
        }
      }
      if (now != null) {
        places[server] = now;
      }
    }
    return going;
  }

  private static boolean beginsAnew(Member before, Member now) {
    return before.incarnation() != now.incarnation()
        || (now.isCopying() && now.copyingSince() != before.copyingSince());
  }

  /**
   * Time passes.
   *
   * @param acting who acts here for lost servers
   */
  public void tick(Map<Integer, StandIn> acting, long nowNanos) {
    transfers.forEach((slot, transfer) -> transfer.tick(acting.get(slot), nowNanos));
  }

  /** Whoever acts here for a lost server stops, if this process is the one that takes its place. */
  public void handOver(NodeId lost, long incarnation, StandIn standIn) {
    Transfer transfer = transfers.get(lost.index());
    if (transfer != null && places[lost.index()].incarnation() == incarnation) {
      transfer.handOver(standIn);
    }
  }
}
