package io.holdfast.recovery;

import io.holdfast.config.control.Register;
import io.holdfast.config.placement.Member;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.placement.NodeId.Role;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * Which process is which node, and which incarnations are banned: declared dead (hazard 1) or
 * refused.
 */
final class Registry {
  private final TreeMap<Integer, NodeProcess> byCode = new TreeMap<>();
  private final Set<Long> banned = new HashSet<>();

  Optional<NodeProcess> at(NodeId node) {
    return Optional.ofNullable(byCode.get(node.code()));
  }

  /** The process of this incarnation if it is named. */
  Optional<NodeProcess> named(long incarnation) {
    return byCode.values().stream()
        .filter(process -> process.incarnation() == incarnation)
        .findFirst();
  }

  /** The process of a role with this number. */
  Optional<NodeProcess> ofPid(Role role, long pid) {
    return all(role).stream().filter(process -> process.pid() == pid).findFirst();
  }

  boolean isBanned(long incarnation) {
    return banned.contains(incarnation);
  }

  NodeProcess add(NodeId node, Register register) {
    NodeProcess process = new NodeProcess(node, register);
    if (byCode.putIfAbsent(node.code(), process) != null) {
      throw new IllegalStateException(node + " is taken");
    }
    return process;
  }

  /** No process of this incarnation will ever be named. */
  void ban(long incarnation) {
    banned.add(incarnation);
  }

  /** The process of this incarnation is nobody from now on. */
  void declareDead(NodeProcess process) {
    byCode.remove(process.node().code());
    banned.add(process.incarnation());
  }

  Collection<NodeProcess> all() {
    return List.copyOf(byCode.values());
  }

  List<NodeProcess> all(Role role) {
    return byCode.values().stream().filter(process -> process.node().role() == role).toList();
  }

  int count(Role role) {
    return all(role).size();
  }

  /** For the next map. */
  List<Member> members() {
    return byCode.values().stream().filter(NodeProcess::isNamed).map(NodeProcess::member).toList();
  }

  /** Servers that have their share. */
  List<NodeId> owners() {
    return all(Role.SERVER).stream().filter(NodeProcess::isOwner).map(NodeProcess::node).toList();
  }

  /**
   * The index for a new process: the one it prefers if it is free, else the lowest free one.
   *
   * @param below number of indices of the role
   * @param reserved indices that are not free although nobody is there
   */
  Optional<NodeId> free(Role role, int preferred, int below, Set<NodeId> reserved) {
    if (preferred >= 0 && preferred < below && isFree(new NodeId(role, preferred), reserved)) {
      return Optional.of(new NodeId(role, preferred));
    }
    for (int index = 0; index < below; index++) {
      if (isFree(new NodeId(role, index), reserved)) {
        return Optional.of(new NodeId(role, index));
      }
    }
    return Optional.empty();
  }

  private boolean isFree(NodeId node, Set<NodeId> reserved) {
    return !byCode.containsKey(node.code()) && !reserved.contains(node);
  }

  /**
   * The process that a new one replaces: it prefers the same index, and either has the same address
   * on the data plane, which only one process can have, or addresses do not tell (all on one host)
   * and no other index is free.
   */
  Optional<NodeProcess> replacedBy(Register register, boolean noneFree) {
    if (register.preferredIndex() < 0) {
      return Optional.empty();
    }
    return at(new NodeId(register.role(), register.preferredIndex()))
        .filter(
            old ->
                old.member().endpoint().equals(register.endpoint())
                    && (noneFree || !register.endpoint().isEmpty()));
  }
}
