package io.holdfast.worker;

import io.holdfast.config.control.ControlMessage;
import io.holdfast.config.control.WorkerControl.Lease;
import io.holdfast.config.control.WorkerControl.LeaseClosed;
import io.holdfast.config.control.WorkerControl.LeaseDone;
import io.holdfast.config.control.WorkerControl.LeaseGranted;
import io.holdfast.config.control.WorkerControl.RequestLease;
import io.holdfast.config.job.JobSpec;
import io.holdfast.config.job.StandIns;
import io.holdfast.config.placement.Member;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.placement.PlacementMap;
import io.holdfast.config.protocol.DataMessage;
import io.holdfast.config.protocol.DataRange;
import io.holdfast.config.transport.DataLink;
import io.holdfast.config.transport.Endpoint;
import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A worker with the real state machine and link, but neither data nor dense part: it pulls rows of
 * plans that were made before, and pushes the weights that it pulled as their gradients. It shows
 * what the servers and the protocol can do. Everything happens on the caller's thread, and it is
 * its own coordinator.
 */
public final class SyntheticWorker implements AutoCloseable {
  /** What happened, in the order in which it did. */
  public interface Timings {
    /** All rows of an iteration are there, so long after they were asked for. */
    void pulled(long nanos);

    /** An iteration is applied everywhere, so long after it began to be staged. */
    void applied(long nanos);
  }

  private static final int POLL_LIMIT = 64;
  private static final long TICK_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

  private final JobSpec job;
  private final Endpoint endpoint;
  private final WorkerCore core;
  private final List<LookupPlan> plans;
  private final ArrayDeque<Runnable> tasks = new ArrayDeque<>();
  private Timings timings;
  private long batches;
  private long position;

  /** Open request for a lease, 0 if there is none. */
  private long request;

  /** To be granted; null if there is none. */
  private Lease next;

  private long lease;
  private boolean leaseDone;
  private long pushNanos;

  /**
   * A worker that has done nothing yet.
   *
   * @param plans of its batches, taken in turns; each for the job's model and placement
   */
  public SyntheticWorker(
      Member self, JobSpec job, PlacementMap map, DataLink link, List<LookupPlan> plans) {
    this.job = job;
    this.endpoint = new Endpoint(self, link);
    this.plans = List.copyOf(plans);
    this.core = new WorkerCore(self, job, StandIns.of(job, map), new Effects());
    endpoint.adopt(map);
    core.start(System.nanoTime());
  }

  /**
   * Runs iterations until all are applied everywhere.
   *
   * @throws IllegalStateException if that takes longer than a minute, or something was refused
   */
  public void run(long iterations, Timings observer) {
    timings = observer;
    leaseDone = false;
    long start = System.nanoTime();
    // An iteration's data lies behind that of the one before; nothing reads it.
    next = new Lease(++lease, 0, 0, position, position + iterations * job.batch(), iterations);
    grant();
    long lastTick = start;
    while (!leaseDone) {
      int work = endpoint.drain();
      work += endpoint.poll(this::onMessage, POLL_LIMIT);
      for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
        task.run();
        work++;
      }
      long now = System.nanoTime();
      if (now - lastTick >= TICK_NANOS) {
        lastTick = now;
        core.tick(now);
        if (now - start > TimeUnit.MINUTES.toNanos(1)) {
          throw new IllegalStateException("the servers do not answer");
        }
      }
      endpoint.idle(work);
    }
  }

  /** Grants what was asked for, once both are there. */
  private void grant() {
    if (request != 0 && next != null) {
      Lease granted = next;
      long answered = request;
      next = null;
      request = 0;
      core.onControl(new LeaseGranted(answered, granted), System.nanoTime());
    }
  }

  private void onMessage(NodeId from, DataMessage message) {
    core.onMessage(from, message, System.nanoTime());
    if (core.pushNanos() != pushNanos) {
      timings.applied(core.pushNanos() - pushNanos);
      pushNanos = core.pushNanos();
    }
  }

  private void read(Iteration iteration) {
    iteration.plan = plans.get((int) (batches++ % plans.size()));
    iteration.planned();
    long from = position;
    position += job.batch();
    core.onRead(iteration, new DataRange(0, 0, from, position, job.batch(), 0), System.nanoTime());
  }

  private void compute(Iteration iteration) {
    long now = System.nanoTime();
    timings.pulled(now - iteration.startedNanos);
    core.onComputed(iteration, 0, now);
  }

  private void onControl(ControlMessage message) {
    switch (message) {
      case RequestLease asked -> {
        request = asked.request();
        grant();
      }
      case LeaseDone done -> {
        core.onControl(new LeaseClosed(done.lease()), System.nanoTime());
        leaseDone = true;
      }
      default -> throw new IllegalStateException("nobody coordinates this worker: " + message);
    }
  }

  @Override
  public void close() {
    core.close();
    endpoint.close();
  }

  private final class Effects implements WorkerEffects {
    @Override
    public void send(NodeId to, DataMessage message) {
      endpoint.send(to, message);
    }

    @Override
    public void control(ControlMessage message) {
      tasks.add(() -> onControl(message));
    }

    @Override
    public void read(Iteration iteration, LeaseTracker tracker) {
      tasks.add(() -> SyntheticWorker.this.read(iteration));
    }

    @Override
    public void compute(Iteration iteration) {
      tasks.add(() -> SyntheticWorker.this.compute(iteration));
    }

    @Override
    public void fail(FailureKind kind, String reason) {
      throw new IllegalStateException(kind + ": " + reason);
    }

    @Override
    public void finished() {
      throw new IllegalStateException("nobody said that there is no more data");
    }
  }
}
