package io.holdfast.config.fault;

import io.holdfast.config.placement.NodeId;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Which of a process's ways to others are cut or slow now. Safe for threads. */
public final class LinkFaults {
  private record Entry(LinkFault fault, boolean heals, long untilNanos) {}

  private final Map<NodeId, Entry> faults = new ConcurrentHashMap<>();

  /** The way to this peer is so from now on. */
  public void set(NodeId peer, LinkFault fault) {
    faults.put(peer, new Entry(fault, false, 0));
  }

  /**
   * The way to this peer is so until it heals.
   *
   * @param untilNanos in the time of {@link #at}
   */
  public void set(NodeId peer, LinkFault fault, long untilNanos) {
    faults.put(peer, new Entry(fault, true, untilNanos));
  }

  /** What is wrong with the way to this peer. */
  public LinkFault at(NodeId peer, long nowNanos) {
    Entry entry = faults.get(peer);
    if (entry == null) {
      return LinkFault.NONE;
    }
    if (entry.heals && nowNanos - entry.untilNanos >= 0) {
      faults.remove(peer, entry);
      return LinkFault.NONE;
    }
    return entry.fault;
  }
}
