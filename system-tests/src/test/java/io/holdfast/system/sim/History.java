package io.holdfast.system.sim;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.config.control.ServerControl.ResolveWorker;
import io.holdfast.config.protocol.TxId;
import io.holdfast.worker.SteppedWorker.Made;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** What workers did and what the coordinator decided for dead ones: what the servers must show. */
final class History {
  private final TreeMap<TxId, Made> made = new TreeMap<>();
  private final Set<TxId> decided = new HashSet<>();
  private final Set<TxId> acknowledged = new HashSet<>();
  private final Map<Long, Set<TxId>> resolved = new HashMap<>();

  void made(Made transaction) {
    assertTrue(made.put(transaction.tx(), transaction) == null, transaction + " made twice");
  }

  /** A worker sends a commit. */
  void decided(TxId tx) {
    assertTrue(made.containsKey(tx), tx + " is committed before it was made");
    decided.add(tx);
  }

  /** A worker saw it applied everywhere. */
  void acknowledged(TxId tx) {
    assertTrue(acknowledged.add(tx), tx + " acknowledged twice");
  }

  void resolved(ResolveWorker message) {
    Set<TxId> committed = new HashSet<>();
    for (long sequence : message.committed()) {
      committed.add(new TxId(message.worker(), message.incarnation(), sequence));
    }
    Set<TxId> before = resolved.put(message.incarnation(), committed);
    assertTrue(before == null || before.equals(committed), "resolved otherwise: " + message);
  }

  int abandoned() {
    return made.size() - committed().size();
  }

  /**
   * All transactions that must be applied exactly once. A live worker's are those that it decided;
   * a dead one's are those that it saw acknowledged and those that the coordinator committed.
   */
  List<Made> committed() {
    List<Made> committed = new ArrayList<>();
    for (Made each : made.values()) {
      TxId tx = each.tx();
      Set<TxId> byCoordinator = resolved.get(tx.incarnation());
      boolean is;
      if (byCoordinator == null) {
        is = decided.contains(tx);
        assertTrue(
            is && acknowledged.contains(tx), tx + " of a live worker was not brought to an end");
      } else {
        is = acknowledged.contains(tx) || byCoordinator.contains(tx);
        assertTrue(!is || decided.contains(tx), tx + " is committed, but its worker never decided");
      }
      if (is) {
        committed.add(each);
      }
    }
    return committed;
  }
}
