package io.holdfast.worker;

import io.holdfast.config.control.ControlMessage;
import io.holdfast.config.control.WorkerControl.CommitGranted;
import io.holdfast.config.control.WorkerControl.LeaseClosed;
import io.holdfast.config.control.WorkerControl.LeaseDone;
import io.holdfast.config.control.WorkerControl.LeaseGranted;
import io.holdfast.config.control.WorkerControl.NoMoreData;
import io.holdfast.config.control.WorkerControl.RequestLease;
import io.holdfast.config.control.WorkerControl.StepDone;
import io.holdfast.config.control.WorkerControl.StepOpened;
import io.holdfast.config.control.WorkerControl.StepReady;
import io.holdfast.config.control.WorkerControl.StepStart;
import io.holdfast.config.fault.FaultPoints;
import io.holdfast.config.fault.InjectionPoint;
import io.holdfast.config.job.JobSpec;
import io.holdfast.config.job.StandIns;
import io.holdfast.config.job.SyncMode;
import io.holdfast.config.placement.Member;
import io.holdfast.config.placement.NnShards;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.placement.StripeMap;
import io.holdfast.config.protocol.DataMessage;
import io.holdfast.config.protocol.DataRange;
import io.holdfast.config.protocol.TxId;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.TreeSet;

/**
 * The worker as a state machine: messages and finished work in, effects out; time is a parameter.
 * Keeps up to {@code window} iterations in flight and one batch read ahead, and is the coordinator
 * of its transactions' two-phase commit (the protocol is told in the wire schema).
 *
 * <p>Nothing rests on a single message: what a server did not answer is asked again, and what the
 * coordinator must know is said again until something that it says shows that it knows.
 */
final class WorkerCore {
  private final Member self;
  private final JobSpec job;
  private final NnShards shards;
  private final WorkerEffects effects;
  private final RequestNumbers requests = new RequestNumbers();
  private final List<Iteration> iterations = new ArrayList<>();

  /** Iterations from READ on, oldest first. */
  private final ArrayDeque<Iteration> inFlight = new ArrayDeque<>();

  /** Leases that are not done, oldest first; the last one may have lines left to read. */
  private final ArrayDeque<LeaseTracker> leases = new ArrayDeque<>();

  /** Applied sequences above the watermark. */
  private final TreeSet<Long> appliedAhead = new TreeSet<>();

  /** By lease; answered by LeaseClosed. */
  private final Unacknowledged leasesDone;

  /** By step; a StepOpened tells which the coordinator knows. */
  private final Unacknowledged stepsDone;

  private long watermark;
  private long nextSequence = 1;
  private long nextStep = 1;
  private boolean reading;
  private boolean computing;
  private boolean leaseRequested;
  private long leaseRequests;
  private boolean noMoreData;
  private boolean ended;
  private long samples;
  private long iterationsApplied;
  private double lossSum;
  private long lossSamples;
  private long pullNanos;
  private long pushNanos;
  private long leaseRequestedNanos;

  /** Of the newest epoch. */
  private StandIns standIns;

  /**
   * A worker that has done nothing yet.
   *
   * @param standIns those of the first map
   */
  WorkerCore(Member self, JobSpec job, StandIns standIns, WorkerEffects effects) {
    this.self = self;
    this.job = job;
    this.standIns = standIns;
    this.effects = effects;
    this.shards = job.nnShards();
    this.leasesDone = new Unacknowledged(effects::control);
    this.stepsDone = new Unacknowledged(effects::control);
    StripeMap map = job.stripeMap();
    for (int slot = 0; slot <= job.window(); slot++) {
      iterations.add(new Iteration(slot, job, new LookupPlan(job.model(), map), shards));
    }
  }

  /** Begins. */
  void start(long nowNanos) {
    advance(nowNanos);
  }

  /** The preparer has read a batch; its labels, dense features and plan are in the iteration. */
  void onRead(Iteration iteration, DataRange range, long nowNanos) {
    reading = false;
    LeaseTracker lease = iteration.lease;
    lease.read(range.samples(), range.to(), range.skipped());
    if (range.samples() == 0) {
      iteration.become(Iteration.State.EMPTY);
      finishLeases(nowNanos);
    } else {
      iteration.range = range;
      iteration.become(Iteration.State.READ);
      inFlight.add(iteration);
    }
    advance(nowNanos);
  }

  /** The dense thread is done; the gradients are in the iteration. */
  void onComputed(Iteration iteration, double loss, long nowNanos) {
    computing = false;
    iteration.loss = loss;
    iteration.become(Iteration.State.STAGING);
    iteration.tx = new TxId(self.node(), self.incarnation(), nextSequence++);
    iteration.push = new Push(iteration, job, shards, standIns);
    iteration.startedNanos = nowNanos;
    if (iteration.push.decided()) {
      iteration.become(Iteration.State.COMMITTING); // In one phase nobody is waited for.
    }
    stage(nowNanos);
    advance(nowNanos);
  }

  /** Stages at each server in the order of the transactions. */
  private void stage(long nowNanos) {
    List<Iteration> pushing = new ArrayList<>(inFlight);
    pushing.removeIf(iteration -> iteration.push == null);
    pushing.sort(Comparator.comparingLong(iteration -> iteration.tx.sequence()));
    boolean[] claimed = new boolean[job.servers()];
    for (Iteration iteration : pushing) {
      iteration.push.stage(claimed, effects, watermark, nowNanos, job.retryNanos());
    }
  }

  /** A checked message of the data plane. */
  void onMessage(NodeId from, DataMessage message, long nowNanos) {
    switch (message) {
      case DataMessage.Rows rows -> {
        for (Iteration iteration : inFlight) {
          if (iteration.pull != null && iteration.pull.onRows(rows)) {
            onPulled(iteration, nowNanos);
            break;
          }
        }
      }
      case DataMessage.ShardValues values -> {
        for (Iteration iteration : inFlight) {
          if (iteration.pull != null && iteration.pull.onShard(values)) {
            onPulled(iteration, nowNanos);
            break;
          }
        }
      }
      case DataMessage.Staged staged -> {
        Iteration iteration = pushing(staged.tx());
        if (iteration != null) {
          iteration.push.onStaged(
              from.index(), staged.owner(), effects, watermark, nowNanos, job.retryNanos());
          stage(nowNanos);
          onStagedEverywhere(iteration, nowNanos);
        }
      }
      case DataMessage.Applied applied -> {
        Iteration iteration = pushing(applied.tx());
        if (iteration != null) {
          iteration.push.onApplied(from.index(), applied.owner());
          if (iteration.push.allApplied()) {
            onApplied(iteration, nowNanos);
          }
          // Last, for what is over claims no server any more: in one phase witnesses may not have
          // answered when all owners have.
          stage(nowNanos);
        }
      }
      case DataMessage.Refused refused -> onRefused(from, refused, nowNanos);
      default -> {
        // Nothing else is meant for a worker.
      }
    }
  }

  private void onPulled(Iteration iteration, long nowNanos) {
    if (iteration.pull.complete() && iteration.state() == Iteration.State.PULLING) {
      pullNanos += nowNanos - iteration.startedNanos;
      iteration.pull = null;
      iteration.become(Iteration.State.READY);
      advance(nowNanos);
    }
  }

  private void onStagedEverywhere(Iteration iteration, long nowNanos) {
    if (iteration.state() != Iteration.State.STAGING || !iteration.push.allStaged()) {
      return;
    }
    if (job.deterministic()) {
      sayReady(iteration, nowNanos);
    } else {
      commit(iteration, nowNanos);
    }
  }

  private void sayReady(Iteration iteration, long nowNanos) {
    iteration.saidNanos = nowNanos;
    effects.control(new StepReady(self.node(), self.incarnation(), iteration.step));
  }

  private void commit(Iteration iteration, long nowNanos) {
    FaultPoints.reached(InjectionPoint.STAGED);
    iteration.become(Iteration.State.COMMITTING);
    iteration.push.commit(effects, watermark, nowNanos, job.retryNanos());
  }

  private void onApplied(Iteration iteration, long nowNanos) {
    pushNanos += nowNanos - iteration.startedNanos;
    inFlight.remove(iteration);
    iteration.push = null;
    iteration.become(Iteration.State.EMPTY);
    appliedAhead.add(iteration.tx.sequence());
    while (appliedAhead.remove(watermark + 1)) {
      watermark++;
    }
    int count = iteration.range.samples();
    samples += count;
    iterationsApplied++;
    lossSum += iteration.loss * count;
    lossSamples += count;
    iteration.lease.applied(count);
    if (job.sync() != SyncMode.ASYNC) {
      stepsDone.send(
          iteration.step, new StepDone(self.node(), self.incarnation(), iteration.step), nowNanos);
    }
    finishLeases(nowNanos);
    advance(nowNanos);
  }

  private void finishLeases(long nowNanos) {
    leases.removeIf(
        tracker -> {
          if (!tracker.done()) {
            return false;
          }
          leasesDone.send(
              tracker.lease.id(),
              new LeaseDone(
                  self.node(),
                  self.incarnation(),
                  tracker.lease.id(),
                  tracker.position(),
                  tracker.batches(),
                  tracker.samples(),
                  tracker.skippedBehind()),
              nowNanos);
          return true;
        });
  }

  private void onRefused(NodeId from, DataMessage.Refused refused, long nowNanos) {
    switch (refused.reason()) {
      case ABORTED ->
          effects.fail(
              FailureKind.FENCED,
              from + " refuses this worker: it was declared dead and its work given to others");
      case NOT_OWNER, MALFORMED ->
          effects.fail(
              FailureKind.INTERNAL,
              from + " refused request " + refused.correlation() + ": " + refused.reason());
      case STALE_EPOCH, BUSY, UNKNOWN_TRANSACTION -> {
        for (Iteration iteration : inFlight) {
          // Requests and transactions are numbered apart; a retry too many does no harm.
          if (iteration.pull != null) {
            iteration.pull.onRefused(refused.correlation(), nowNanos, job.retryNanos());
          }
          if (iteration.push != null && iteration.tx.sequence() == refused.correlation()) {
            iteration.push.onRefused(from.index(), refused.reason(), nowNanos, job.retryNanos());
          }
        }
      }
    }
  }

  private Iteration pushing(TxId tx) {
    if (tx.incarnation() != self.incarnation()) {
      return null;
    }
    for (Iteration iteration : inFlight) {
      if (iteration.push != null && iteration.tx.sequence() == tx.sequence()) {
        return iteration;
      }
    }
    return null;
  }

  /** A message of the coordinator. */
  void onControl(ControlMessage message, long nowNanos) {
    switch (message) {
      case LeaseGranted granted -> {
        boolean known =
            leases.stream().anyMatch(tracker -> tracker.lease.id() == granted.lease().id());
        if (leaseRequested && granted.request() == leaseRequests && !known) {
          leaseRequested = false;
          leases.add(new LeaseTracker(granted.lease()));
          finishLeases(nowNanos);
        }
      }
      case LeaseClosed closed -> leasesDone.arrived(closed.lease());
      case NoMoreData none -> {
        // Said only once all data is known to be finished.
        noMoreData = true;
        leaseRequested = false;
        leasesDone.allArrived();
        stepsDone.allArrived();
      }
      case StepOpened opened -> {
        stepsDone.arrivedUpTo(opened.step() - 1 - stepsAhead());
        for (Iteration iteration : inFlight) {
          if (iteration.step == opened.step() && iteration.state() == Iteration.State.OPENING) {
            pull(iteration, nowNanos);
          }
        }
      }
      case CommitGranted granted -> {
        for (Iteration iteration : inFlight) {
          if (iteration.step == granted.step()
              && iteration.state() == Iteration.State.STAGING
              && iteration.push.allStaged()) {
            commit(iteration, nowNanos);
          }
        }
      }
      default -> throw new IllegalArgumentException("no worker understands " + message.getClass());
    }
    advance(nowNanos);
  }

  /**
   * A newer map is in force: what is open goes to those who stand in now, and everything that is
   * not answered is asked again at once.
   */
  void onEpoch(StandIns newest, long nowNanos) {
    standIns = newest;
    for (Iteration iteration : inFlight) {
      if (iteration.pull != null) {
        iteration.pull.move(standIns);
        iteration.pull.ask(effects, nowNanos, job.retryNanos());
      }
      if (iteration.push != null) {
        iteration.push.move(standIns);
        iteration.push.retry(effects, watermark, nowNanos, job.retryNanos(), true);
      }
    }
    stage(nowNanos);
    for (Iteration iteration : inFlight) {
      onStagedEverywhere(iteration, nowNanos); // All that was missing may be a lost witness.
    }
  }

  /** Time passes: repeats what was not answered. */
  void tick(long nowNanos) {
    for (Iteration iteration : inFlight) {
      if (iteration.pull != null && nowNanos - iteration.pull.retryAtNanos() >= 0) {
        iteration.pull.ask(effects, nowNanos, job.retryNanos());
      }
      if (iteration.push != null) {
        iteration.push.retry(effects, watermark, nowNanos, job.retryNanos(), false);
      }
      if (nowNanos - iteration.saidNanos >= job.retryNanos()) {
        repeatStep(iteration, nowNanos);
      }
    }
    leasesDone.repeat(nowNanos, job.retryNanos());
    stepsDone.repeat(nowNanos, job.retryNanos());
    if (leaseRequested && nowNanos - leaseRequestedNanos >= job.retryNanos()) {
      requestLease(nowNanos);
    }
  }

  private void repeatStep(Iteration iteration, long nowNanos) {
    if (iteration.state() == Iteration.State.OPENING) {
      sayStart(iteration, nowNanos);
    } else if (job.deterministic()
        && iteration.state() == Iteration.State.STAGING
        && iteration.push.allStaged()) {
      sayReady(iteration, nowNanos);
    }
  }

  /** How far a step may be opened ahead of this worker's own oldest one that is not done. */
  private int stepsAhead() {
    return job.sync() == SyncMode.BOUNDED ? job.staleness() : 0;
  }

  /** Starts all that can be started. */
  private void advance(long nowNanos) {
    if (ended) {
      return;
    }
    readAhead(nowNanos);
    long active = 0;
    for (Iteration iteration : inFlight) {
      boolean waits = iteration.state() == Iteration.State.READ;
      if (waits && active < job.window()) {
        open(iteration, nowNanos);
      }
      if (iteration.state() == Iteration.State.READY && !computing) {
        computing = true;
        iteration.become(Iteration.State.COMPUTING);
        effects.compute(iteration);
      }
      active++;
    }
    if (noMoreData && leases.isEmpty() && inFlight.isEmpty() && !reading) {
      ended = true;
      effects.finished();
    }
  }

  private void readAhead(long nowNanos) {
    if (reading) {
      return;
    }
    LeaseTracker current = leases.isEmpty() ? null : leases.peekLast();
    if (current == null || current.exhausted()) {
      if (!noMoreData && !leaseRequested) {
        leaseRequests++;
        requestLease(nowNanos);
      }
      return;
    }
    for (Iteration iteration : iterations) {
      if (iteration.state() == Iteration.State.EMPTY) {
        reading = true;
        iteration.become(Iteration.State.READING);
        iteration.lease = current;
        effects.read(iteration, current);
        return;
      }
    }
  }

  private void requestLease(long nowNanos) {
    leaseRequested = true;
    leaseRequestedNanos = nowNanos;
    effects.control(new RequestLease(self.node(), self.incarnation(), leaseRequests));
  }

  private void open(Iteration iteration, long nowNanos) {
    iteration.step = nextStep++;
    long index = (iteration.step - 1) * job.workers() + self.node().index();
    iteration.learningRate = job.learningRate().at(index);
    if (job.sync() == SyncMode.ASYNC) {
      pull(iteration, nowNanos);
    } else {
      iteration.become(Iteration.State.OPENING);
      sayStart(iteration, nowNanos);
    }
  }

  private void sayStart(Iteration iteration, long nowNanos) {
    iteration.saidNanos = nowNanos;
    effects.control(new StepStart(self.node(), self.incarnation(), iteration.step));
  }

  private void pull(Iteration iteration, long nowNanos) {
    iteration.become(Iteration.State.PULLING);
    iteration.startedNanos = nowNanos;
    iteration.pull = new RowPull(iteration, job, standIns, requests);
    iteration.pull.ask(effects, nowNanos, job.retryNanos());
  }

  long samples() {
    return samples;
  }

  long iterationsApplied() {
    return iterationsApplied;
  }

  /** Mean loss of the samples applied since the last call, NaN if there were none. */
  double takeMeanLoss() {
    double mean = lossSamples == 0 ? Double.NaN : lossSum / lossSamples;
    lossSum = 0;
    lossSamples = 0;
    return mean;
  }

  /** Time from the first pull of an iteration to its last answer, summed over iterations. */
  long pullNanos() {
    return pullNanos;
  }

  /** Time from the first stage of an iteration to its last Applied, summed over iterations. */
  long pushNanos() {
    return pushNanos;
  }

  /** Releases the buffers. No iteration may be in the hands of another thread. */
  void close() {
    iterations.forEach(Iteration::close);
  }
}
