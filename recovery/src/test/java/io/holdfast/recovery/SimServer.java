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
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** A server reduced to what is staged and what is applied. */
final class SimServer {
  final JobSimulation simulation;
  final long incarnation;
  NodeId self;
  private PlacementMap map;
  private final Map<TxId, SimTransaction> staged = new TreeMap<>();

  /** In the order in which they were applied here. */
  final Set<SimTransaction> applied = new LinkedHashSet<>();

  private final Map<Long, Long> watermarks = new HashMap<>();

  SimServer(JobSimulation simulation, long incarnation) {
    this.simulation = simulation;
    this.incarnation = incarnation;
  }

  void on(ControlMessage message) {
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
        }
        reply(new EpochAdopted(self, map.epoch()));
      }
      case QueryWorker query -> reply(transactionsOf(query));
      case ResolveWorker resolve -> {
        for (SimTransaction tx : List.copyOf(staged.values())) {
          if (tx.id.incarnation() == resolve.incarnation()) {
            staged.remove(tx.id);
            if (resolve.committed().contains(tx.id.sequence())) {
              apply(tx);
            }
          }
        }
        reply(new WorkerResolved(self, resolve.worker(), resolve.incarnation()));
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
    for (SimTransaction tx : applied) {
      if (tx.id.incarnation() == query.incarnation() && tx.id.sequence() > watermark) {
        decided.add(tx.id.sequence());
      }
    }
    for (TxId id : staged.keySet()) {
      if (id.incarnation() == query.incarnation()) {
        undecided.add(id.sequence());
      }
    }
    return new WorkerTransactions(
        self, query.worker(), query.incarnation(), watermark, decided, undecided);
  }

  private List<RangeRecord> ranges() {
    TreeMap<String, RangeRecord> sorted = new TreeMap<>();
    for (SimTransaction tx : applied) {
      if (tx.participants.recorder(tx.id) == self.index()) {
        DataRange range = tx.range;
        String key = "%04d %04d %09d".formatted(range.pass(), range.file(), range.from());
        sorted.put(key, new RangeRecord(range, 1));
      }
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

  void stage(SimTransaction tx, Epoch epoch, SimWorker from) {
    if (obeys(tx, epoch)) {
      if (!applied.contains(tx)) {
        staged.put(tx.id, tx);
      }
      simulation.network.send(this, from, () -> from.onStaged(tx, self.index()));
    }
  }

  void commit(SimTransaction tx, long watermark, Epoch epoch, SimWorker from) {
    if (obeys(tx, epoch)) {
      watermarks.merge(tx.id.incarnation(), watermark, Math::max);
      if (staged.remove(tx.id) != null) {
        apply(tx);
      }
      if (applied.contains(tx)) {
        simulation.network.send(this, from, () -> from.onApplied(tx, self.index()));
      }
    }
  }

  private boolean obeys(SimTransaction tx, Epoch epoch) {
    return map != null
        && map.epoch().equals(epoch)
        && map.member(tx.id.worker())
            .filter(member -> member.incarnation() == tx.id.incarnation())
            .isPresent();
  }

  private void apply(SimTransaction tx) {
    if (!applied.add(tx)) {
      throw new IllegalStateException(tx.id + " applied twice at " + self);
    }
    simulation.onApplied(tx);
  }

  private void reply(ControlMessage message) {
    simulation.toCoordinator(this, message);
  }
}
