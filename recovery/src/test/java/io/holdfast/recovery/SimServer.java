package io.holdfast.recovery;

import io.holdfast.config.control.ControlMessage;
import io.holdfast.config.control.JobControl.Registered;
import io.holdfast.config.control.JobControl.Stop;
import io.holdfast.config.control.RedundancyStatistics;
import io.holdfast.config.control.ServerControl.AdoptEpoch;
import io.holdfast.config.control.ServerControl.CommittedRanges;
import io.holdfast.config.control.ServerControl.EpochAdopted;
import io.holdfast.config.control.ServerControl.QueryRanges;
import io.holdfast.config.control.ServerControl.QueryStatistics;
import io.holdfast.config.control.ServerControl.QueryWorker;
import io.holdfast.config.control.ServerControl.RangeRecord;
import io.holdfast.config.control.ServerControl.ResolveWorker;
import io.holdfast.config.control.ServerControl.ServerReady;
import io.holdfast.config.control.ServerControl.ServerStatistics;
import io.holdfast.config.control.ServerControl.StartServer;
import io.holdfast.config.control.ServerControl.WorkerResolved;
import io.holdfast.config.control.ServerControl.WorkerTransactions;
import io.holdfast.config.placement.Epoch;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.placement.PlacementMap;
import io.holdfast.config.protocol.DataRange;
import io.holdfast.config.protocol.TxId;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A server reduced to what is staged and what is applied, here and, of what others have applied, at
 * those who stand in for them if they are lost. A transaction is redundant when all of these that
 * live have it.
 */
final class SimServer {
  final JobSimulation simulation;
  final long incarnation;
  NodeId self;
  private PlacementMap map;
  boolean dead;
  private final Map<Integer, Map<TxId, SimTransaction>> staged = new TreeMap<>();

  /** In the order in which they were applied here. */
  final Set<SimTransaction> applied = new LinkedHashSet<>();

  /** By owner: what was folded of others' updates, and applied in their place once lost. */
  final Map<Integer, Set<SimTransaction>> folded = new TreeMap<>();

  /** Who has not acknowledged what was applied here. */
  private final Map<SimTransaction, Set<Integer>> unacknowledged = new LinkedHashMap<>();

  private final Map<SimTransaction, SimWorker> waiting = new HashMap<>();

  /** Dead workers, by incarnation, whose transactions here are to be made redundant. */
  private final Map<Long, NodeId> resolving = new LinkedHashMap<>();

  private final Map<Long, Long> watermarks = new HashMap<>();

  SimServer(JobSimulation simulation, long incarnation) {
    this.simulation = simulation;
    this.incarnation = incarnation;
  }

  void on(ControlMessage message) {
    if (dead) {
      return;
    }
    switch (message) {
      case Registered registered -> self = registered.node();
      case StartServer start -> {
        if (map == null) {
          map = start.map();
        }
        reply(new ServerReady(self, 0));
      }
      case AdoptEpoch adopt -> {
        if (adopt.map().epoch().compareTo(map.epoch()) > 0) {
          map = adopt.map();
          unacknowledged.forEach(
              (tx, holders) -> holders.removeIf(h -> map.member(NodeId.server(h)).isEmpty()));
          tellRedundant();
        }
        reply(new EpochAdopted(self, map.epoch()));
      }
      case QueryWorker query -> reply(transactionsOf(query));
      case ResolveWorker resolve -> {
        staged.forEach(
            (owner, parts) -> {
              for (SimTransaction tx : List.copyOf(parts.values())) {
                if (tx.id.incarnation() == resolve.incarnation()) {
                  parts.remove(tx.id);
                  if (resolve.committed().contains(tx.id.sequence())) {
                    apply(owner, tx);
                  }
                }
              }
            });
        resolving.put(resolve.incarnation(), resolve.worker());
        tellRedundant();
      }
      case QueryRanges query -> reply(new CommittedRanges(self, query.query(), ranges()));
      case QueryStatistics query ->
          reply(new ServerStatistics(self, 0, 0, 0, 0, 0, 0, RedundancyStatistics.NONE));
      case Stop stop -> {
        // Its contents are still looked at.
      }
      default -> throw new IllegalStateException("a server got " + message);
    }
  }

  private WorkerTransactions transactionsOf(QueryWorker query) {
    if (map.member(query.worker())
        .filter(m -> m.incarnation() == query.incarnation())
        .isPresent()) {
      throw new IllegalStateException(self + " is asked about a worker that is not fenced here");
    }
    long watermark = watermarks.getOrDefault(query.incarnation(), 0L);
    List<Long> decided = new ArrayList<>();
    List<Long> undecided = new ArrayList<>();
    Set<Long> known = new TreeSet<>();
    for (Set<SimTransaction> each : List.of(applied, allFolded())) {
      for (SimTransaction tx : each) {
        if (tx.id.incarnation() == query.incarnation() && tx.id.sequence() > watermark) {
          known.add(tx.id.sequence());
        }
      }
    }
    decided.addAll(known);
    for (Map<TxId, SimTransaction> parts : staged.values()) {
      for (TxId id : parts.keySet()) {
        if (id.incarnation() == query.incarnation()) {
          undecided.add(id.sequence());
        }
      }
    }
    return new WorkerTransactions(
        self, query.worker(), query.incarnation(), watermark, decided, undecided);
  }

  private Set<SimTransaction> allFolded() {
    Set<SimTransaction> all = new LinkedHashSet<>();
    folded.values().forEach(all::addAll);
    return all;
  }

  /** Of what this server records, and of what lost ones recorded whose deputy it is. */
  private Set<SimTransaction> recorded() {
    Set<SimTransaction> recorded = new LinkedHashSet<>();
    for (SimTransaction tx : applied) {
      if (tx.participants.recorder(tx.id) == self.index()) {
        recorded.add(tx);
      }
    }
    folded.forEach(
        (owner, all) -> {
          if (map.member(NodeId.server(owner)).isEmpty()
              && simulation.deputy(owner) == self.index()) {
            for (SimTransaction tx : all) {
              if (tx.participants.recorder(tx.id) == owner) {
                recorded.add(tx);
              }
            }
          }
        });
    return recorded;
  }

  private List<RangeRecord> ranges() {
    TreeMap<String, RangeRecord> sorted = new TreeMap<>();
    for (SimTransaction tx : recorded()) {
      DataRange range = tx.range;
      String key = "%04d %04d %09d %s".formatted(range.pass(), range.file(), range.from(), tx.id);
      sorted.put(key, new RangeRecord(range, 1));
    }
    List<RangeRecord> merged = new ArrayList<>();
    for (RangeRecord next : sorted.values()) {
      DataRange b = next.range();
      DataRange a = merged.isEmpty() ? null : merged.getLast().range();
      if (a != null && a.pass() == b.pass() && a.file() == b.file() && a.to() == b.from()) {
        long iterations = merged.removeLast().iterations() + next.iterations();
        merged.add(
            new RangeRecord(
                new DataRange(
                    a.pass(),
                    a.file(),
                    a.from(),
                    b.to(),
                    a.samples() + b.samples(),
                    a.skipped() + b.skipped()),
                iterations));
      } else {
        merged.add(next);
      }
    }
    return merged;
  }

  void stage(SimTransaction tx, SimPart part, Epoch epoch, SimWorker from) {
    if (obeys(tx, part, epoch)) {
      if (!has(part.owner(), tx)) {
        staged.computeIfAbsent(part.owner(), key -> new TreeMap<>()).put(tx.id, tx);
      }
      simulation.network.send(this, from, () -> from.onStaged(tx, part));
    }
  }

  void commit(SimTransaction tx, SimPart part, long watermark, Epoch epoch, SimWorker from) {
    if (!obeys(tx, part, epoch)) {
      return;
    }
    watermarks.merge(tx.id.incarnation(), watermark, Math::max);
    if (staged.getOrDefault(part.owner(), new TreeMap<>()).remove(tx.id) != null) {
      apply(part.owner(), tx);
    }
    if (part.owner() != self.index() && has(part.owner(), tx)) {
      simulation.network.send(this, from, () -> from.onApplied(tx, part));
    } else if (has(part.owner(), tx)) {
      waiting.put(tx, from);
      tellRedundant();
    }
  }

  private boolean has(int owner, SimTransaction tx) {
    return (owner == self.index() ? applied : folded.getOrDefault(owner, Set.of())).contains(tx);
  }

  /** Another server has applied a transaction. */
  private void fold(SimTransaction tx, SimServer owner) {
    if (!dead && map.member(owner.self).isPresent()) {
      folded.computeIfAbsent(owner.self.index(), key -> new LinkedHashSet<>()).add(tx);
      simulation.network.send(this, owner, () -> owner.onAcknowledged(tx, self.index()));
    }
  }

  private void onAcknowledged(SimTransaction tx, int holder) {
    if (!dead) {
      unacknowledged.get(tx).remove(holder);
      tellRedundant();
    }
  }

  private void tellRedundant() {
    waiting
        .entrySet()
        .removeIf(
            entry -> {
              SimTransaction tx = entry.getKey();
              SimWorker worker = entry.getValue();
              boolean redundant = unacknowledged.get(tx).isEmpty();
              if (redundant) {
                SimPart part = new SimPart(self.index(), self.index());
                simulation.network.send(this, worker, () -> worker.onApplied(tx, part));
              }
              return redundant;
            });
    resolving
        .entrySet()
        .removeIf(
            entry -> {
              boolean redundant =
                  unacknowledged.entrySet().stream()
                      .noneMatch(
                          each ->
                              each.getKey().id.incarnation() == entry.getKey()
                                  && !each.getValue().isEmpty());
              if (redundant) {
                reply(new WorkerResolved(self, entry.getValue(), entry.getKey()));
              }
              return redundant;
            });
  }

  private boolean obeys(SimTransaction tx, SimPart part, Epoch epoch) {
    boolean same = map != null && map.epoch().equals(epoch);
    if (same
        && part.owner() != self.index()
        && map.member(NodeId.server(part.owner())).isPresent()) {
      throw new IllegalStateException(
          self + " is to act for server-" + part.owner() + ", which lives");
    }
    return !dead
        && same
        && map.member(tx.id.worker())
            .filter(member -> member.incarnation() == tx.id.incarnation())
            .isPresent();
  }

  private void apply(int owner, SimTransaction tx) {
    Set<SimTransaction> all =
        owner == self.index()
            ? applied
            : folded.computeIfAbsent(owner, key -> new LinkedHashSet<>());
    if (!all.add(tx)) {
      if (owner == self.index()) {
        throw new IllegalStateException(tx.id + " applied twice at " + self);
      }
      return;
    }
    simulation.onApplied(tx);
    if (owner == self.index()) {
      Set<Integer> holders = new TreeSet<>(simulation.hosts(owner, map));
      unacknowledged.put(tx, holders);
      for (int holder : holders) {
        SimServer server = simulation.server(holder);
        simulation.network.send(this, server, () -> server.fold(tx, this));
      }
    }
  }

  private void reply(ControlMessage message) {
    simulation.toCoordinator(this, message);
  }
}
