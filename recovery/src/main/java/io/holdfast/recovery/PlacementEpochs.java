package io.holdfast.recovery;

import io.holdfast.config.control.ControlMessage;
import io.holdfast.config.control.ServerControl.AdoptEpoch;
import io.holdfast.config.control.ServerControl.EpochAdopted;
import io.holdfast.config.placement.Epoch;
import io.holdfast.config.placement.Member;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.placement.PlacementMap;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BiConsumer;

/**
 * Issues epochs and knows who has adopted the newest one. An epoch is in force once all servers of
 * its map have adopted it; a newer one supersedes it before or after that.
 */
final class PlacementEpochs {
  static final Comparator<NodeId> ORDER = Comparator.comparingInt(NodeId::code);

  private final int term;
  private final long sessionKey;
  private final long repeatNanos;
  private final BiConsumer<NodeId, ControlMessage> effects;
  private final Set<NodeId> awaited = new TreeSet<>(ORDER);
  private PlacementMap map;
  private long askedNanos;

  /**
   * No epoch yet.
   *
   * @param term of this coordinator; greater than all before
   * @param repeatNanos servers that did not adopt an epoch for so long are told again
   */
  PlacementEpochs(
      int term, long sessionKey, long repeatNanos, BiConsumer<NodeId, ControlMessage> effects) {
    if (term < 1) {
      throw new IllegalArgumentException("term is " + term + ", must be positive");
    }
    this.term = term;
    this.sessionKey = sessionKey;
    this.repeatNanos = repeatNanos;
    this.effects = effects;
  }

  /** The first map; servers get it when they are started, not through here. */
  PlacementMap first(List<Member> members) {
    if (map != null) {
      throw new IllegalStateException("the first epoch was issued already: " + map);
    }
    map = new PlacementMap(new Epoch(term, 1), sessionKey, members);
    return map;
  }

  /** The next epoch, sent to all its servers. */
  PlacementMap next(List<Member> members, long nowNanos) {
    map = new PlacementMap(map.epoch().next(), sessionKey, members);
    awaited.clear();
    for (Member member : members) {
      if (member.node().role() == NodeId.Role.SERVER) {
        awaited.add(member.node());
      }
    }
    ask(nowNanos);
    return map;
  }

  /** The newest map, null before the first. */
  PlacementMap map() {
    return map;
  }

  /** True if all servers have the newest map. */
  boolean inForce() {
    return awaited.isEmpty();
  }

  /** True if this answer brought the newest epoch into force. */
  boolean on(EpochAdopted message) {
    return map.epoch().equals(message.epoch())
        && awaited.remove(message.server())
        && awaited.isEmpty();
  }

  void tick(long nowNanos) {
    if (!awaited.isEmpty() && nowNanos - askedNanos >= repeatNanos) {
      ask(nowNanos);
    }
  }

  private void ask(long nowNanos) {
    askedNanos = nowNanos;
    awaited.forEach(server -> effects.accept(server, new AdoptEpoch(map)));
  }
}
