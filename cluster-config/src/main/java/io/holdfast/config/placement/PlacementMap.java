package io.holdfast.config.placement;

import com.fasterxml.jackson.annotation.JsonIgnore;
import java.util.List;
import java.util.Optional;

/**
 * Who is in the cluster in an epoch. A process that is not named here owns nothing and is obeyed by
 * nobody.
 *
 * @param epoch when this map holds
 * @param sessionKey every data-plane frame must carry it; handed out over the control plane
 * @param members all live processes
 */
public record PlacementMap(Epoch epoch, long sessionKey, List<Member> members) {
  public PlacementMap {
    members = List.copyOf(members);
  }

  /** The live process of a node, if there is one. */
  public Optional<Member> member(NodeId node) {
    return members.stream().filter(member -> member.node().equals(node)).findFirst();
  }

  /** Number of live processes of a role. */
  public int count(NodeId.Role role) {
    return (int) members.stream().filter(member -> member.node().role() == role).count();
  }

  /** The same cluster without a node, in the next epoch. */
  public PlacementMap without(NodeId node) {
    return new PlacementMap(
        epoch.next(),
        sessionKey,
        members.stream().filter(member -> !member.node().equals(node)).toList());
  }

  @JsonIgnore
  @Override
  public String toString() {
    // The session key must not reach a log.
    return "epoch " + epoch + " " + members;
  }
}
