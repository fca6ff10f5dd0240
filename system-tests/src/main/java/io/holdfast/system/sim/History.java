package io.holdfast.system.sim;

import static io.holdfast.system.sim.BrokenInvariant.require;

import io.holdfast.config.control.ServerControl.ResolveWorker;
import io.holdfast.config.placement.StripeMap;
import io.holdfast.config.protocol.TxId;
import io.holdfast.worker.SteppedWorker.Made;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * What workers did, what the coordinator decided for dead ones, and in which order servers were
 * seen to apply it: what the servers must show. Nothing in here is a server's own word; that
 * something was applied is seen from outside, by counters that rise while a message is handled.
 */
final class History {
  private final boolean onePhase;
  private final TreeMap<TxId, Made> made = new TreeMap<>();
  private final Set<TxId> decided = new HashSet<>();
  private final Set<TxId> acknowledged = new HashSet<>();
  private final Map<Long, Set<TxId>> resolved = new HashMap<>();
  private final Map<Long, Long> watermarks = new HashMap<>();
  private final Map<Long, Long> spans = new HashMap<>();
  private final Map<Integer, LinkedHashSet<TxId>> applied = new TreeMap<>();

  /** Of a lost server's parts, in which order a stand-in was seen to apply them. */
  private final Map<Acting, LinkedHashSet<TxId>> standIn = new HashMap<>();

  /** Stand-ins that applied something of which nobody could see from outside what it was. */
  private final Set<Acting> unordered = new HashSet<>();

  /** Updates of lost rows, and of NN shards, that their stand-ins began with. */
  private final Map<Long, Integer> rowsInherited = new HashMap<>();

  private final Map<Integer, Long> shardsInherited = new HashMap<>();

  private record Acting(int lost, int host) {}

  /** Nothing has happened yet. */
  History(boolean onePhase) {
    this.onePhase = onePhase;
  }

  void made(Made transaction) {
    TxId tx = transaction.tx();
    long watermark = watermarks.getOrDefault(tx.incarnation(), 0L);
    while (acknowledged.contains(new TxId(tx.worker(), tx.incarnation(), watermark + 1))) {
      watermark++;
    }
    watermarks.put(tx.incarnation(), watermark);
    spans.merge(tx.incarnation(), tx.sequence() - watermark, Math::max);
    require(
        made.put(transaction.tx(), transaction) == null,
        Oracle.DECISIONS,
        () -> transaction.tx() + " was made twice");
  }

  Made of(TxId tx) {
    return made.get(tx);
  }

  /** A worker sends a commit. */
  void decided(TxId tx) {
    require(made.containsKey(tx), Oracle.DECISIONS, () -> tx + " is committed before it was made");
    decided.add(tx);
  }

  /** In one phase whatever is made may be applied. */
  boolean isDecided(TxId tx) {
    return decided.contains(tx) || (onePhase && made.containsKey(tx));
  }

  /** A worker saw it applied everywhere. */
  void acknowledged(TxId tx) {
    require(acknowledged.add(tx), Oracle.DECISIONS, () -> tx + " was acknowledged twice");
  }

  boolean isAcknowledged(TxId tx) {
    return acknowledged.contains(tx);
  }

  /** A server was seen to apply its part. */
  void applied(int server, TxId tx) {
    require(isDecided(tx), Oracle.DECISIONS, () -> "server-" + server + " applied undecided " + tx);
    require(
        applied.computeIfAbsent(server, s -> new LinkedHashSet<>()).add(tx),
        Oracle.DECISIONS,
        () -> "server-" + server + " applied " + tx + " twice");
  }

  boolean isApplied(int server, TxId tx) {
    return applied.getOrDefault(server, new LinkedHashSet<>()).contains(tx);
  }

  /** What a server applied, in this order. */
  Collection<TxId> applied(int server) {
    return applied.getOrDefault(server, new LinkedHashSet<>());
  }

  /** A stand-in was seen to apply parts that a lost server owed; some may be older ones. */
  void standInApplied(int lost, int host, List<TxId> transactions) {
    Acting acting = new Acting(lost, host);
    if (transactions.isEmpty()) {
      unordered.add(acting);
    }
    for (TxId tx : transactions) {
      require(
          isDecided(tx),
          Oracle.DECISIONS,
          () -> "server-" + host + " applied undecided " + tx + " for server-" + lost);
      standIn.computeIfAbsent(acting, key -> new LinkedHashSet<>()).add(tx);
    }
  }

  Collection<TxId> standInApplied(int lost, int host) {
    return standIn.getOrDefault(new Acting(lost, host), new LinkedHashSet<>());
  }

  boolean isUnordered(int lost, int host) {
    return unordered.contains(new Acting(lost, host));
  }

  void inheritedRow(long row, int updates) {
    rowsInherited.put(row, updates);
  }

  int inheritedRow(long row) {
    return rowsInherited.getOrDefault(row, 0);
  }

  void inheritedShard(int shard, long updates) {
    shardsInherited.put(shard, updates);
  }

  long inheritedShard(int shard) {
    return shardsInherited.getOrDefault(shard, 0L);
  }

  void resolved(ResolveWorker message) {
    Set<TxId> committed = new HashSet<>();
    for (long sequence : message.committed()) {
      committed.add(new TxId(message.worker(), message.incarnation(), sequence));
    }
    Set<TxId> before = resolved.put(message.incarnation(), committed);
    require(
        before == null || before.equals(committed),
        Oracle.DECISIONS,
        () -> "resolved otherwise than before: " + message);
  }

  int size() {
    return made.size();
  }

  /** How far a worker ever was ahead of what it had seen acknowledged without a gap. */
  long longestSpan(long incarnation) {
    return spans.getOrDefault(incarnation, 0L);
  }

  int unacknowledged() {
    return made.size() - acknowledged.size();
  }

  /** All transactions that workers made, in the order of their names. */
  Collection<Made> made() {
    return made.values();
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
      if (byCoordinator == null) {
        require(
            acknowledged.contains(tx),
            Oracle.LIVENESS,
            () -> tx + " of a live worker was not brought to an end");
        committed.add(each);
      } else if (acknowledged.contains(tx) || byCoordinator.contains(tx)) {
        require(
            isDecided(tx),
            Oracle.DECISIONS,
            () -> tx + " is committed, but its worker never decided");
        committed.add(each);
      }
    }
    return committed;
  }

  /** Rows of a transaction at a server. */
  static List<Long> rowsAt(Made made, StripeMap map, int server) {
    return made.rows().stream().filter(row -> map.serverOfRow(row) == server).toList();
  }
}
