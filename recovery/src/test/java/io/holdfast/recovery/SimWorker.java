package io.holdfast.recovery;

import io.holdfast.config.control.ControlMessage;
import io.holdfast.config.control.JobControl.Registered;
import io.holdfast.config.control.JobControl.RegistrationRefused;
import io.holdfast.config.control.JobControl.Stop;
import io.holdfast.config.control.WorkerControl.CommitGranted;
import io.holdfast.config.control.WorkerControl.Lease;
import io.holdfast.config.control.WorkerControl.LeaseClosed;
import io.holdfast.config.control.WorkerControl.LeaseDone;
import io.holdfast.config.control.WorkerControl.LeaseGranted;
import io.holdfast.config.control.WorkerControl.NoMoreData;
import io.holdfast.config.control.WorkerControl.RequestLease;
import io.holdfast.config.control.WorkerControl.StartWorker;
import io.holdfast.config.control.WorkerControl.StepDone;
import io.holdfast.config.control.WorkerControl.StepOpened;
import io.holdfast.config.control.WorkerControl.StepReady;
import io.holdfast.config.control.WorkerControl.StepStart;
import io.holdfast.config.control.WorkerControl.WorkerEpoch;
import io.holdfast.config.control.WorkerControl.WorkerFinished;
import io.holdfast.config.job.JobSpec;
import io.holdfast.config.job.SyncMode;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.placement.PlacementMap;
import io.holdfast.config.protocol.DataRange;
import io.holdfast.config.protocol.TxId;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/** A worker reduced to leases, steps and two-phase commit. */
final class SimWorker {
  private static final class OpenLease {
    final Lease lease;
    long position;
    long batches;
    long applied;
    long samples;
    long skippedBehind;
    boolean exhausted;

    OpenLease(Lease lease) {
      this.lease = lease;
      this.position = lease.from();
    }
  }

  final JobSimulation simulation;
  final long incarnation;
  final int preferred;
  NodeId self;
  boolean dead;
  boolean finished;
  private JobSpec job;
  private PlacementMap map;
  private final TreeMap<Long, OpenLease> leases = new TreeMap<>();
  final TreeMap<Long, SimTransaction> inFlight = new TreeMap<>();
  private final TreeSet<Long> appliedAhead = new TreeSet<>();
  private OpenLease current;
  private long watermark;
  private long sequence;
  private long request;
  private boolean requested;
  private boolean noMoreData;

  SimWorker(JobSimulation simulation, long incarnation, int preferred) {
    this.simulation = simulation;
    this.incarnation = incarnation;
    this.preferred = preferred;
  }

  void on(ControlMessage message) {
    if (dead) {
      return;
    }
    switch (message) {
      case Registered registered -> self = registered.node();
      case RegistrationRefused refused -> {
        dead = true;
        simulation.onRefused(this);
      }
      case Stop stop -> dead = true;
      case StartWorker start -> {
        if (job == null) {
          job = start.job();
          map = start.map();
        }
      }
      case WorkerEpoch epoch -> {
        if (epoch.map().epoch().compareTo(map.epoch()) > 0) {
          map = epoch.map();
          repeat();
        }
      }
      case LeaseGranted granted -> {
        if (requested && granted.request() == request) {
          requested = false;
          current = new OpenLease(granted.lease());
          leases.put(granted.lease().id(), current);
        }
      }
      case LeaseClosed closed -> {
        // Nothing that it says is lost here.
      }
      case NoMoreData none -> {
        noMoreData = true;
        requested = false;
      }
      case StepOpened opened -> {
        SimTransaction tx = inFlight.get(opened.step());
        if (tx != null && !tx.opened) {
          open(tx);
        }
      }
      case CommitGranted granted -> {
        SimTransaction tx = inFlight.get(granted.step());
        if (tx != null) {
          commit(tx);
        }
      }
      default -> throw new IllegalStateException("a worker got " + message);
    }
    advance();
  }

  private void advance() {
    if (dead || finished || job == null) {
      return;
    }
    while (!noMoreData && !requested && inFlight.size() < job.window()) {
      if (current == null || current.exhausted) {
        requested = true;
        request++;
        simulation.toCoordinator(this, new RequestLease(self, incarnation, request));
      } else {
        read(current);
      }
    }
    if (noMoreData && leases.isEmpty()) {
      finished = true;
      simulation.toCoordinator(
          this, new WorkerFinished(self, incarnation, 0, 0, Map.of(), Map.of()));
    }
  }

  private void read(OpenLease open) {
    Lease lease = open.lease;
    int samples = 0;
    int skipped = 0;
    long at = open.position;
    while (at < lease.to() && samples < job.batch()) {
      if (simulation.isGood(lease.file(), at)) {
        samples++;
      } else {
        skipped++;
      }
      at++;
    }
    if (samples == 0) {
      open.skippedBehind = skipped;
      open.exhausted = true;
      finish(open);
      return;
    }
    DataRange range =
        new DataRange(lease.pass(), lease.file(), open.position, at, samples, skipped);
    open.position = at;
    open.batches++;
    open.exhausted = at == lease.to() || open.batches == lease.maxBatches();
    sequence++;
    SimTransaction tx =
        new SimTransaction(
            new TxId(self, incarnation, sequence),
            range,
            simulation.participants(sequence + incarnation),
            lease.id());
    inFlight.put(sequence, tx);
    if (job.sync() == SyncMode.ASYNC) {
      open(tx);
    } else {
      simulation.toCoordinator(this, new StepStart(self, incarnation, sequence));
    }
  }

  private void open(SimTransaction tx) {
    tx.opened = true;
    simulation.onPull(this, tx);
    stage(tx);
  }

  /** The parts that are to be staged and applied by the worker's map. */
  private List<SimPart> parts(SimTransaction tx) {
    List<SimPart> parts = new ArrayList<>();
    for (int i = 0; i < tx.participants.count(); i++) {
      int owner = tx.participants.get(i);
      SimPart whole = new SimPart(owner, owner);
      if (tx.applied.contains(whole) || map.member(NodeId.server(owner)).isPresent()) {
        parts.add(whole);
      } else {
        simulation.hosts(owner, map).forEach(host -> parts.add(new SimPart(owner, host)));
      }
    }
    return parts;
  }

  private void stage(SimTransaction tx) {
    for (SimPart part : parts(tx)) {
      if (!tx.staged.contains(part)) {
        stage(tx, part);
      }
    }
  }

  private void stage(SimTransaction tx, SimPart part) {
    var epoch = map.epoch();
    SimServer server = simulation.server(part.host());
    simulation.network.send(this, server, () -> server.stage(tx, part, epoch, this));
  }

  void onStaged(SimTransaction tx, SimPart part) {
    if (dead || !inFlight.containsKey(tx.id.sequence())) {
      return;
    }
    tx.staged.add(part);
    if (tx.committing) {
      commit(tx);
    } else if (tx.staged.containsAll(parts(tx))) {
      if (job.deterministic()) {
        simulation.toCoordinator(this, new StepReady(self, incarnation, tx.id.sequence()));
      } else {
        commit(tx);
      }
    }
  }

  private void commit(SimTransaction tx) {
    if (!tx.committing) {
      tx.committing = true;
      for (int i = 0; i < tx.participants.count(); i++) {
        if (map.member(NodeId.server(tx.participants.get(i))).isPresent()) {
          tx.aliveAtDecision.add(tx.participants.get(i));
        }
      }
    }
    long mark = watermark;
    var epoch = map.epoch();
    for (SimPart part : parts(tx)) {
      if (!tx.staged.contains(part)) {
        stage(tx, part);
      } else if (!tx.applied.contains(part)) {
        SimServer server = simulation.server(part.host());
        simulation.network.send(this, server, () -> server.commit(tx, part, mark, epoch, this));
      }
    }
  }

  void onApplied(SimTransaction tx, SimPart part) {
    if (dead || !inFlight.containsKey(tx.id.sequence())) {
      return;
    }
    tx.applied.add(part);
    if (!tx.applied.containsAll(parts(tx))) {
      return;
    }
    simulation.acknowledged.add(tx);
    inFlight.remove(tx.id.sequence());
    appliedAhead.add(tx.id.sequence());
    while (appliedAhead.remove(watermark + 1)) {
      watermark++;
    }
    if (job.sync() != SyncMode.ASYNC) {
      simulation.toCoordinator(this, new StepDone(self, incarnation, tx.id.sequence()));
    }
    OpenLease open = leases.get(tx.lease);
    open.applied++;
    open.samples += tx.range.samples();
    finish(open);
    advance();
  }

  private void finish(OpenLease open) {
    if (open.exhausted && open.applied == open.batches) {
      leases.remove(open.lease.id());
      simulation.toCoordinator(
          this,
          new LeaseDone(
              self,
              incarnation,
              open.lease.id(),
              open.position,
              open.batches,
              open.samples,
              open.skippedBehind));
    }
  }

  /** What was not answered is said again. */
  void repeat() {
    if (dead || job == null) {
      return;
    }
    if (requested) {
      simulation.toCoordinator(this, new RequestLease(self, incarnation, request));
    }
    for (SimTransaction tx : List.copyOf(inFlight.values())) {
      if (!tx.opened) {
        simulation.toCoordinator(this, new StepStart(self, incarnation, tx.id.sequence()));
      } else if (tx.committing) {
        commit(tx);
      } else if (tx.staged.containsAll(parts(tx))) {
        simulation.toCoordinator(this, new StepReady(self, incarnation, tx.id.sequence()));
      } else {
        stage(tx);
      }
    }
  }

  @Override
  public String toString() {
    return self
        + "/"
        + incarnation
        + (dead ? " dead" : "")
        + (finished ? " finished" : "")
        + " leases "
        + leases.keySet()
        + " in flight "
        + inFlight.keySet()
        + (requested ? " wants a lease" : "");
  }
}
