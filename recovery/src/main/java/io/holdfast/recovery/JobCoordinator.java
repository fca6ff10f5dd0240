package io.holdfast.recovery;

import io.holdfast.config.control.ControlMessage;
import io.holdfast.config.control.JobControl.MapForReader;
import io.holdfast.config.control.JobControl.ProcessEnded;
import io.holdfast.config.control.JobControl.Registered;
import io.holdfast.config.control.JobControl.RegistrationRefused;
import io.holdfast.config.control.JobControl.Stop;
import io.holdfast.config.control.Register;
import io.holdfast.config.control.ServerControl.CommittedRanges;
import io.holdfast.config.control.ServerControl.CopyProgress;
import io.holdfast.config.control.ServerControl.EpochAdopted;
import io.holdfast.config.control.ServerControl.ServerFailed;
import io.holdfast.config.control.ServerControl.ServerReady;
import io.holdfast.config.control.ServerControl.ServerStatistics;
import io.holdfast.config.control.ServerControl.StartServer;
import io.holdfast.config.control.ServerControl.WorkerResolved;
import io.holdfast.config.control.ServerControl.WorkerTransactions;
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
import io.holdfast.config.control.WorkerControl.WorkerFailed;
import io.holdfast.config.control.WorkerControl.WorkerFinished;
import io.holdfast.config.control.WorkerControl.WorkerProgress;
import io.holdfast.config.job.JobSpec;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.placement.NodeId.Role;
import io.holdfast.config.placement.PlacementMap;
import io.holdfast.recovery.JobOutcome.FailureKind;
import io.holdfast.recovery.JobOutcome.JobFailed;
import io.holdfast.recovery.JobOutcome.JobLost;
import io.holdfast.recovery.JobOutcome.JobTrained;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * Runs a job: names processes, issues epochs, deals out data, settles what dead workers leave
 * behind, and tells how it ended. A state machine: messages, deaths and the time in, effects out.
 *
 * <p>Its phases are drawn at {@link JobPhase}. A worker's life:
 *
 * <pre>
 *   Register -> named -> map in force: StartWorker -> trains -> NoMoreData -> WorkerFinished
 *                 \________________\______________/
 *                                   dies: next epoch, {@link WorkerTermination}, its data goes back,
 *                                   its index is free for a process that takes its place
 * </pre>
 *
 * <p>A server that dies once training has begun is {@link LostServers lost}: if the survivors hold
 * everything, the next epoch is without it, they act for it ({@code StandIns}), and the job goes
 * on; what was being asked of all servers is asked again once they have that epoch. Else the job is
 * lost, too. A new process {@link Replacement takes its place}: one that waited on standby, was
 * restarted, or joins.
 *
 * <p>Messages of one process must arrive in the order in which it sent them; they may be repeated.
 * Messages of a process that was declared dead have no effect, whether it is dead or not; it is
 * told to stop (guarantee G6). What a server must answer is repeated until it does. A process that
 * misses something registers again under its incarnation and is told everything anew.
 */
public final class JobCoordinator {
  /** Readers come and go; this many at a time is plenty. */
  private static final int MAX_READERS = 1024;

  private static final long PROGRESS_NANOS = 100_000_000L;

  private final JobSpec job;
  private final TrainingData data;
  private final CoordinatorSettings settings;
  private final CoordinatorEffects effects;
  private final Registry registry = new Registry();
  private final PlacementEpochs epochs;
  private final DataLedger ledger;
  private final StepGate gate;
  private final LostServers lost;
  private final ProgressBoard board = new ProgressBoard();

  /** Processes for which there may be room later, by incarnation. */
  private final Map<Long, Register> candidates = new LinkedHashMap<>();

  private final Map<NodeId, WorkerTermination> terminations = new TreeMap<>(PlacementEpochs.ORDER);
  private final Set<NodeId> ready = new HashSet<>();

  /** Workers and readers that died while servers were starting. */
  private final List<NodeProcess> diedEarly = new ArrayList<>();

  private final List<WorkerFinished> summaries = new ArrayList<>();
  private JobPhase phase = JobPhase.GATHERING;

  /** Null while no process is on its way to a lost server's place. */
  private Replacement replacement;

  /** Null while it waits for an epoch to be in force. */
  private FinalCount count;

  private long nextQuery = 1;
  private boolean outcomeTold;
  private long progressNanos;
  private boolean progressDue = true;

  /** A coordinator that waits for the job's processes. */
  public JobCoordinator(
      JobSpec job, TrainingData data, CoordinatorSettings settings, CoordinatorEffects effects) {
    this.job = job;
    this.data = data;
    this.settings = settings;
    this.effects = effects;
    this.epochs =
        new PlacementEpochs(
            settings.term(), settings.sessionKey(), settings.repeatNanos(), effects::send);
    this.lost = new LostServers(job);
    this.ledger = new DataLedger(data, job.workers(), job.deterministic(), new LedgerAnswers());
    int staleness =
        switch (job.sync()) {
          case ASYNC -> Integer.MAX_VALUE;
          case BOUNDED -> job.staleness();
          case SYNC -> 0;
        };
    this.gate = new StepGate(staleness, job.deterministic(), new GateSignals());
  }

  public JobPhase phase() {
    return phase;
  }

  /** A process says something. */
  public void on(ControlMessage message, long nowNanos) {
    guarded(nowNanos, () -> dispatch(message, nowNanos));
  }

  /**
   * A process is dead, or is to be treated as dead for good. Says nothing about a later process at
   * the same node.
   *
   * @param cause for people
   */
  public void onNodeDown(NodeId node, long incarnation, String cause, long nowNanos) {
    guarded(
        nowNanos,
        () ->
            registry
                .at(node)
                .filter(process -> process.incarnation() == incarnation)
                .ifPresent(process -> down(process, cause, nowNanos)));
  }

  /** A process that is no node is dead. */
  public void onCandidateDown(long incarnation) {
    candidates.remove(incarnation);
  }

  /** The job is to end now, or, once it is trained, its servers are not needed any more. */
  public void onStop(String reason) {
    if (phase != JobPhase.OVER) {
      end(new JobFailed(FailureKind.STOPPED, reason), reason);
    }
  }

  /** Time passes. */
  public void tick(long nowNanos) {
    guarded(
        nowNanos,
        () -> {
          if (phase == JobPhase.GATHERING || phase == JobPhase.OVER) {
            return;
          }
          epochs.tick(nowNanos);
          terminations.values().forEach(each -> each.tick(nowNanos));
          if (count != null) {
            count.tick(nowNanos);
          }
          if (replacement != null) {
            replacement.tick(nowNanos);
          }
        });
    if (phase != JobPhase.OVER && (progressDue || nowNanos - progressNanos >= PROGRESS_NANOS)) {
      tellProgress(nowNanos);
    }
  }

  private void tellProgress(long nowNanos) {
    progressDue = false;
    progressNanos = nowNanos;
    effects.progress(
        board.progress(
            phase,
            registry.owners().size(),
            registry.count(Role.WORKER),
            lost.all(),
            replacement == null ? null : replacement.progress()));
  }

  private void guarded(long nowNanos, Runnable action) {
    try {
      action.run();
      if (replacement != null
          && replacement.state() == Replacement.State.TAKEN_OVER
          && phase != JobPhase.OVER) {
        replaced(nowNanos);
      }
      if (phase == JobPhase.TRAINING) {
        closeTerminations(nowNanos);
        endTrainingIfDone();
      }
      if (phase == JobPhase.COUNTING) {
        countIfInForce(nowNanos);
        if (count != null && count.complete()) {
          trained();
        }
      }
    } catch (ProtocolException e) {
      end(new JobFailed(FailureKind.INTERNAL, e.getMessage()), e.getMessage());
    }
  }

  private void dispatch(ControlMessage message, long nowNanos) {
    if (phase == JobPhase.OVER) {
      if (message instanceof Register register) {
        refuse(register.incarnation(), "the job is over");
      }
      return;
    }
    switch (message) {
      case Register register -> onRegister(register, nowNanos);
      case ProcessEnded ended ->
          registry
              .at(ended.node())
              .filter(process -> process.pid() == ended.pid())
              // One that was on standby has a place by now, and its parent does not know whose.
              .or(() -> registry.ofPid(ended.node().role(), ended.pid()))
              .ifPresent(process -> down(process, ended.cause(), nowNanos));
      case Stop stop -> onStop(stop.reason());

      case ServerReady serverReady -> onServerReady(serverReady.server(), nowNanos);
      case ServerFailed failed -> {
        if (speaks(failed.server(), failed.incarnation())) {
          down(registry.at(failed.server()).orElseThrow(), failed.reason(), nowNanos);
        }
      }
      case EpochAdopted adopted -> {
        if (phase.compareTo(JobPhase.TRAINING) >= 0) {
          terminations.values().forEach(each -> each.on(adopted, nowNanos));
          if (epochs.on(adopted)) {
            onEpochInForce();
          }
        }
      }
      case WorkerTransactions known ->
          terminations.values().forEach(each -> each.on(known, nowNanos));
      case WorkerResolved resolved ->
          terminations.values().forEach(each -> each.on(resolved, nowNanos));
      case CommittedRanges ranges -> {
        terminations.values().forEach(each -> each.on(ranges, nowNanos));
        if (count != null) {
          count.on(ranges);
        }
      }
      case ServerStatistics statistics -> {
        if (count != null) {
          count.on(statistics);
        }
      }
      case CopyProgress progress -> {
        if (replacement != null) {
          replacement.on(progress, nowNanos);
        }
      }

      case RequestLease request -> {
        if (trains(request.worker(), request.incarnation())) {
          ledger.onRequest(request.worker().index(), request.request());
        }
      }
      case LeaseDone done -> {
        if (trains(done.worker(), done.incarnation())) {
          ledger.onDone(done.worker().index(), done);
          effects.send(done.worker(), new LeaseClosed(done.lease()));
        }
      }
      case StepStart start -> {
        if (trains(start.worker(), start.incarnation())) {
          gate.onStart(start.worker().index(), start.step());
        }
      }
      case StepReady stepReady -> {
        if (trains(stepReady.worker(), stepReady.incarnation())) {
          gate.onReady(stepReady.worker().index(), stepReady.step());
        }
      }
      case StepDone done -> {
        if (trains(done.worker(), done.incarnation())) {
          gate.onDone(done.worker().index(), done.step());
        }
      }
      case WorkerProgress report -> {
        if (trains(report.worker(), report.incarnation())) {
          board.on(report);
        }
      }
      case WorkerFinished finished -> onWorkerFinished(finished);
      case WorkerFailed failed -> {
        if (speaks(failed.worker(), failed.incarnation())) {
          String reason = failed.worker() + ": " + failed.reason();
          end(new JobFailed(FailureKind.named(failed.kind()), reason), reason);
        }
      }
      default ->
          throw new ProtocolException("the coordinator does not understand " + message.getClass());
    }
  }

  // Who is there.

  private void onRegister(Register register, long nowNanos) {
    Optional<NodeProcess> named = registry.named(register.incarnation());
    if (named.isPresent()) {
      tellAnew(named.get());
    } else if (registry.isBanned(register.incarnation())) {
      refuse(register.incarnation(), "this process was declared dead or refused; start a new one");
    } else {
      admit(register, nowNanos);
    }
  }

  private void admit(Register register, long nowNanos) {
    int below =
        switch (register.role()) {
          case SERVER -> job.servers();
          case WORKER -> job.workers();
          case READER -> MAX_READERS;
        };
    Set<NodeId> reserved = new HashSet<>(terminations.keySet());
    reserved.addAll(lost.all());
    Optional<NodeId> free =
        registry.free(register.role(), register.preferredIndex(), below, reserved);
    Optional<NodeProcess> replaced = registry.replacedBy(register, free.isEmpty());
    if (phase == JobPhase.STARTING) {
      candidates.put(register.incarnation(), register);
    } else if (replaced.isPresent()) {
      // What it left behind is settled before the new process gets its index.
      candidates.put(register.incarnation(), register);
      down(replaced.get(), "it was restarted", nowNanos);
      admitCandidates(nowNanos);
    } else if (register.role() == Role.WORKER && phase.compareTo(JobPhase.TRAINING) > 0) {
      refuse(register.incarnation(), "all data is trained");
    } else if (free.isPresent()) {
      name(free.get(), register, nowNanos);
    } else if (register.role() == Role.SERVER && lost.any() && replacement == null) {
      replace(lost.place(register.preferredIndex()), register);
    } else if (register.role() == Role.SERVER && mayWait(register)) {
      candidates.put(register.incarnation(), register);
    } else if (!terminations.isEmpty() && register.role() == Role.WORKER) {
      candidates.put(register.incarnation(), register);
    } else {
      candidates.remove(register.incarnation());
      refuse(
          register.incarnation(),
          "all "
              + below
              + " "
              + register.role().name().toLowerCase(java.util.Locale.ROOT)
              + "s of the job are there: "
              + registry.all(register.role())
              + (register.role() == Role.SERVER
                  ? ", and " + settings.standby() + " more may wait (standby)"
                  : ""));
    }
  }

  /** Whether a server may wait for one of the others to be lost, or for its turn. */
  private boolean mayWait(Register register) {
    long waiting =
        candidates.values().stream()
            .filter(
                each -> each.role() == Role.SERVER && each.incarnation() != register.incarnation())
            .count();
    return waiting < settings.standby() + lost.all().size();
  }

  /** A process is to take a lost server's place; maps name it when it has allocated memory. */
  private void replace(NodeId place, Register register) {
    candidates.remove(register.incarnation());
    NodeProcess process = registry.add(place, register);
    process.prepare();
    replacement = new Replacement(process, registry::owners, settings.repeatNanos(), effects::send);
    progressDue = true;
    effects.named(place, register.incarnation());
    tellAnew(process);
  }

  /** It owns the lost server's share from the next epoch on. */
  private void replaced(long nowNanos) {
    NodeProcess process = replacement.process();
    replacement = null;
    process.own();
    lost.replaced(process.node());
    progressDue = true;
    serversChange(nowNanos);
    admitCandidates(nowNanos);
  }

  /** Who owns what changes with the next epoch: whatever is being asked of all is asked anew. */
  private void serversChange(long nowNanos) {
    tellProgress(nowNanos); // At once: a server may be replaced before the next tick.
    PlacementMap map = epochs.next(registry.members(), nowNanos);
    for (WorkerTermination each : terminations.values()) {
      each.onServers(registry.owners(), map.epoch(), nextQuery++);
    }
    // Whoever acts for a server counts its records only once it has this epoch.
    count = null;
  }

  private void admitCandidates(long nowNanos) {
    for (Register candidate : List.copyOf(candidates.values())) {
      if (phase != JobPhase.OVER && candidates.remove(candidate.incarnation()) != null) {
        onRegister(candidate, nowNanos);
      }
    }
  }

  private void name(NodeId node, Register register, long nowNanos) {
    candidates.remove(register.incarnation());
    registry.add(node, register);
    progressDue = true;
    effects.named(node, register.incarnation());
    effects.send(node, new Registered(node));
    if (phase != JobPhase.GATHERING) {
      epochs.next(registry.members(), nowNanos);
    } else if (registry.count(Role.SERVER) == job.servers()
        && registry.count(Role.WORKER) == job.workers()) {
      become(JobPhase.STARTING);
      PlacementMap map = epochs.first(registry.members());
      for (NodeProcess server : registry.all(Role.SERVER)) {
        effects.send(server.node(), new StartServer(server.node(), job, map));
      }
    }
  }

  /** Everything that a process should know by now; it knows some of it already. */
  private void tellAnew(NodeProcess process) {
    NodeId node = process.node();
    effects.send(node, new Registered(node));
    switch (node.role()) {
      case SERVER -> {
        if (!process.isNamed() || (phase == JobPhase.STARTING && !ready.contains(node))) {
          effects.send(node, new StartServer(node, job, epochs.map()));
        }
      }
      case WORKER -> {
        if (process.stage() == NodeProcess.Stage.STARTED) {
          effects.send(
              node,
              process.heard()
                  ? new WorkerEpoch(epochs.map())
                  : new StartWorker(node, job, epochs.map()));
        }
      }
      case READER -> {
        if (process.stage() == NodeProcess.Stage.STARTED) {
          effects.send(node, new MapForReader(epochs.map()));
        }
      }
    }
  }

  /** For good: the process ends when it hears this, so it must not be named later. */
  private void refuse(long incarnation, String reason) {
    registry.ban(incarnation);
    effects.toUnregistered(incarnation, new RegistrationRefused(reason));
  }

  private void onServerReady(NodeId server, long nowNanos) {
    if (replacement != null
        && replacement.state() == Replacement.State.PREPARING
        && replacement.process().node().equals(server)) {
      copy(nowNanos);
      epochs.next(registry.members(), nowNanos);
      return;
    }
    if (phase != JobPhase.STARTING || registry.at(server).isEmpty()) {
      return;
    }
    ready.add(server);
    if (ready.size() < job.servers()) {
      return;
    }
    become(JobPhase.TRAINING);
    // All take part before the first one gets anything.
    registry.all(Role.WORKER).forEach(this::takePart);
    onEpochInForce();
    diedEarly.forEach(process -> down(process, "it died before training began", nowNanos));
    admitCandidates(nowNanos);
  }

  private void takePart(NodeProcess worker) {
    gate.join(worker.node().index());
    ledger.join(worker.node().index());
  }

  /** All servers have the newest map: now those who talk to them may have it. */
  private void onEpochInForce() {
    PlacementMap map = epochs.map();
    for (NodeProcess process : registry.all()) {
      NodeId node = process.node();
      boolean begins = process.stage() == NodeProcess.Stage.REGISTERED;
      if (begins) {
        process.become(NodeProcess.Stage.STARTED);
      }
      switch (node.role()) {
        case SERVER -> {
          // Has it.
        }
        case WORKER -> {
          if (process.stage() == NodeProcess.Stage.FINISHED || diedEarly.contains(process)) {
            continue;
          }
          if (begins && !ledger.takesPart(node.index())) {
            takePart(process);
          }
          effects.send(node, begins ? new StartWorker(node, job, map) : new WorkerEpoch(map));
        }
        case READER -> effects.send(node, new MapForReader(map));
      }
    }
  }

  // Who is not there any more.

  private void down(NodeProcess process, String cause, long nowNanos) {
    progressDue = true;
    if (phase == JobPhase.GATHERING || phase == JobPhase.OVER) {
      registry.declareDead(process);
      return;
    }
    switch (process.node().role()) {
      case SERVER -> serverDown(process, cause, nowNanos);
      case WORKER, READER -> {
        if (phase == JobPhase.STARTING) {
          if (!diedEarly.contains(process)) {
            diedEarly.add(process);
          }
        } else {
          leave(process, nowNanos);
        }
      }
    }
  }

  /** With the next epoch, which is to follow, a process begins to copy a lost server's share. */
  private void copy(long nowNanos) {
    replacement.process().copySince(epochs.map().epoch().next());
    replacement.copies(nowNanos);
  }

  private void replacementDown(NodeProcess server, String cause, long nowNanos) {
    boolean named = server.isNamed();
    registry.declareDead(server);
    replacement = null;
    effects.toUnregistered(
        server.incarnation(),
        new Stop("it was to take the place of " + server.node() + ", but " + cause));
    if (named) {
      epochs.next(registry.members(), nowNanos);
    }
    admitCandidates(nowNanos);
  }

  private void serverDown(NodeProcess server, String cause, long nowNanos) {
    NodeId node = server.node();
    if (replacement != null && replacement.is(server)) {
      replacementDown(server, cause, nowNanos);
      return;
    }
    Optional<String> unbearable = lost.unbearable(node, phase, epochs.map());
    if (unbearable.isPresent()) {
      outcomeTold = false;
      String reason = server + " is lost: " + cause + "; " + unbearable.get();
      end(new JobLost(lost.shares(node), reason), reason);
      return;
    }
    registry.declareDead(server);
    lost.add(node);
    effects.toUnregistered(
        server.incarnation(), new Stop(node + " was declared dead and others act for it"));
    if (replacement != null && replacement.state() != Replacement.State.PREPARING) {
      copy(nowNanos); // What the lost one gave may lack what others will have from it.
    }
    serversChange(nowNanos);
    admitCandidates(nowNanos);
  }

  private void leave(NodeProcess process, long nowNanos) {
    registry.declareDead(process);
    board.dead(process.incarnation());
    boolean worker = process.node().role() == Role.WORKER;
    if (worker && process.stage() == NodeProcess.Stage.FINISHED) {
      return;
    }
    PlacementMap map = epochs.next(registry.members(), nowNanos);
    if (worker) {
      int index = process.node().index();
      terminations.put(
          process.node(),
          new WorkerTermination(
              process.node(),
              process.incarnation(),
              map.epoch(),
              registry.owners(),
              nextQuery++,
              settings.repeatNanos(),
              effects::send));
      gate.leave(index);
      ledger.onDown(index);
    }
  }

  private void closeTerminations(long nowNanos) {
    boolean closed = false;
    for (Iterator<WorkerTermination> each = terminations.values().iterator(); each.hasNext(); ) {
      WorkerTermination termination = each.next();
      if (termination.done()) {
        each.remove();
        closed = true;
        ledger.recover(
            termination.worker().index(),
            termination.transactions(),
            termination.committedData(),
            lost.ever().isEmpty() ? 0 : termination.atRisk());
      }
    }
    if (closed) {
      admitCandidates(nowNanos);
    }
  }

  /** True if this is a named process speaking; one that was declared dead is told to stop. */
  private boolean speaks(NodeId node, long incarnation) {
    Optional<NodeProcess> process =
        registry.at(node).filter(named -> named.incarnation() == incarnation);
    process.ifPresent(NodeProcess::hear);
    if (process.isEmpty() && registry.isBanned(incarnation)) {
      effects.toUnregistered(
          incarnation, new Stop(node + " was declared dead and its work given to others"));
    }
    return process.isPresent();
  }

  private boolean trains(NodeId worker, long incarnation) {
    return speaks(worker, incarnation)
        && phase == JobPhase.TRAINING
        && registry.at(worker).orElseThrow().stage() == NodeProcess.Stage.STARTED;
  }

  // How it ends.

  private void onWorkerFinished(WorkerFinished finished) {
    if (!trains(finished.worker(), finished.incarnation())) {
      return;
    }
    if (!ledger.complete()) {
      throw new ProtocolException(finished.worker() + " is finished, but the data is not");
    }
    registry.at(finished.worker()).orElseThrow().become(NodeProcess.Stage.FINISHED);
    gate.leave(finished.worker().index());
    ledger.onFinished(finished.worker().index());
    board.on(finished);
    summaries.add(finished);
  }

  private void endTrainingIfDone() {
    if (ledger.problem().isPresent()) {
      String reason = ledger.problem().get();
      end(new JobFailed(FailureKind.DATA, reason), reason);
      return;
    }
    boolean unfinished =
        registry.all(Role.WORKER).stream()
            .anyMatch(worker -> worker.stage() != NodeProcess.Stage.FINISHED);
    if (unfinished || !terminations.isEmpty()) {
      return;
    }
    if (!ledger.complete()) {
      String reason = "no worker is left, but the data is not trained to its end";
      end(new JobFailed(FailureKind.WORKERS, reason), reason);
      return;
    }
    become(JobPhase.COUNTING);
  }

  private void countIfInForce(long nowNanos) {
    if (count == null && epochs.inForce()) {
      count =
          new FinalCount(
              registry.owners(), nextQuery++, settings.repeatNanos(), effects::send, nowNanos);
    }
  }

  private void trained() {
    DataTotals totals = CommittedData.check(count.ranges(), data, ledger);
    List<ServerStatistics> statistics = count.statistics();
    count = null;
    become(JobPhase.SERVING);
    outcomeTold = true;
    effects.outcome(new JobTrained(totals, summaries, statistics, warnings(totals)));
    for (NodeProcess worker : registry.all(Role.WORKER)) {
      effects.send(worker.node(), new Stop("the job is trained"));
    }
  }

  private List<String> warnings(DataTotals totals) {
    List<String> warnings = new ArrayList<>();
    if (lost.any()) {
      warnings.add(lost.all() + " died; others acted for what it owned, which has no copies now");
    }
    if (totals.repeated() > 0) {
      warnings.add(
          totals.repeated()
              + " iterations were committed by workers that died together with one of "
              + lost.ever()
              + ", and the record of their data died with it: that data was trained twice, and what"
              + " they changed at that server may be lost");
    }
    if (ledger.atRisk() > 0) {
      warnings.add(
          "up to "
              + ledger.atRisk()
              + " iterations of workers that died with or after "
              + lost.ever()
              + " may lack what they changed there: they were decided, and had not been seen"
              + " applied everywhere");
    }
    return warnings;
  }

  private void end(JobOutcome outcome, String reason) {
    become(JobPhase.OVER);
    if (!outcomeTold) {
      outcomeTold = true;
      effects.outcome(outcome);
    }
    for (NodeProcess process : registry.all()) {
      effects.send(process.node(), new Stop(reason));
    }
    candidates.keySet().forEach(incarnation -> refuse(incarnation, "the job is over: " + reason));
    candidates.clear();
  }

  private void become(JobPhase next) {
    if (!phase.mayBecome(next)) {
      throw new IllegalStateException("job: " + phase + " to " + next);
    }
    phase = next;
    progressDue = true;
  }

  private final class LedgerAnswers implements DataLedger.Answers {
    @Override
    public void granted(int worker, long request, Lease lease) {
      gate.active(worker);
      effects.send(NodeId.worker(worker), new LeaseGranted(request, lease));
    }

    @Override
    public void noMoreData(int worker) {
      effects.send(NodeId.worker(worker), new NoMoreData());
    }

    @Override
    public void idle(int worker) {
      gate.idle(worker);
    }
  }

  private final class GateSignals implements StepGate.Signals {
    @Override
    public void stepOpened(int worker, long step) {
      effects.send(NodeId.worker(worker), new StepOpened(step));
    }

    @Override
    public void commitGranted(int worker, long step) {
      effects.send(NodeId.worker(worker), new CommitGranted(step));
    }
  }
}
