package io.holdfast.worker;

import io.holdfast.config.control.ControlMessage;
import io.holdfast.config.control.WorkerControl.EpochCommitted;
import io.holdfast.config.control.WorkerControl.WorkerFailed;
import io.holdfast.config.control.WorkerControl.WorkerFinished;
import io.holdfast.config.control.WorkerControl.WorkerProgress;
import io.holdfast.config.fault.FaultPoints;
import io.holdfast.config.fault.InjectionPoint;
import io.holdfast.config.job.JobSpec;
import io.holdfast.config.job.StandIns;
import io.holdfast.config.placement.Member;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.placement.PlacementMap;
import io.holdfast.config.protocol.DataMessage;
import io.holdfast.config.protocol.DataRange;
import io.holdfast.config.transport.DataLink;
import io.holdfast.config.transport.Endpoint;
import io.holdfast.config.transport.EndpointCounters;
import io.holdfast.criteo.CriteoDataException;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A worker's threads around its state machine: this agent's own (data link and state machine), one
 * that reads and plans batches, and one that computes. Work passes between them as tasks; the state
 * machine runs on the agent's thread only.
 */
public final class WorkerAgent implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(WorkerAgent.class);
  private static final int POLL_LIMIT = 64;
  private static final long TICK_NANOS = TimeUnit.MILLISECONDS.toNanos(10);
  private static final long PROGRESS_NANOS = TimeUnit.MILLISECONDS.toNanos(500);
  private static final long NEWS_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

  private final Member self;
  private final JobSpec job;
  private final DataLink link;
  private final Endpoint endpoint;
  private final Consumer<ControlMessage> coordinator;
  private final BatchPreparer preparer;
  private final DenseRunner dense;
  private final WorkerCore core;
  private final ConcurrentLinkedQueue<Runnable> events = new ConcurrentLinkedQueue<>();
  private final ExecutorService prepareThread;
  private final ExecutorService denseThread;
  private final Thread agentThread;
  private volatile boolean running = true;

  /** WorkerFinished or WorkerFailed, repeated until this is closed: it might be lost. */
  private ControlMessage lastWord;

  private long lastWordNanos;
  private long lastTickNanos;
  private long lastProgressNanos;
  private long appliedTold;
  private long appliedBeforeEpoch;
  private boolean firstOfEpochTold = true;

  /**
   * Prepares a worker; {@link #start} begins.
   *
   * @param coordinator takes messages to the coordinator, from any thread
   * @throws CriteoDataException if the data cannot be opened
   */
  public WorkerAgent(
      Member self,
      JobSpec job,
      PlacementMap map,
      DataLink link,
      Consumer<ControlMessage> coordinator) {
    this.self = self;
    this.job = job;
    this.link = link;
    this.endpoint = new Endpoint(self, link);
    this.coordinator = coordinator;
    this.preparer = new BatchPreparer(job, WorkerData.open(job.data(), job.model()));
    this.dense = new DenseRunner(job);
    this.core = new WorkerCore(self, job, StandIns.of(job, map), new Effects());
    endpoint.adopt(map);
    prepareThread = Executors.newSingleThreadExecutor(threads("prepare"));
    denseThread = Executors.newSingleThreadExecutor(threads("dense"));
    agentThread = threads("agent").newThread(this::run);
  }

  private java.util.concurrent.ThreadFactory threads(String job) {
    return task -> {
      Thread thread = new Thread(task, self.node() + "-" + job);
      thread.setDaemon(true);
      return thread;
    };
  }

  /** Begins. */
  public void start() {
    agentThread.start();
  }

  /** Hands over a message of the coordinator; any thread. */
  public void onControl(ControlMessage message) {
    post(() -> core.onControl(message, System.nanoTime()));
  }

  /** Hands over a newer map; any thread. */
  public void onMap(PlacementMap map) {
    post(
        () -> {
          FaultPoints.reached(InjectionPoint.EPOCH);
          if (endpoint.adopt(map)) {
            appliedBeforeEpoch = core.iterationsApplied();
            firstOfEpochTold = false;
            core.onEpoch(StandIns.of(job, map), System.nanoTime());
          }
        });
  }

  private void post(Runnable event) {
    events.add(event);
    link.wakeUp();
  }

  private void run() {
    try {
      core.start(System.nanoTime());
      while (running) {
        int work = endpoint.drain();
        work += endpoint.poll(this::onMessage, POLL_LIMIT);
        for (Runnable event = events.poll(); event != null; event = events.poll()) {
          event.run();
          work++;
        }
        long now = System.nanoTime();
        if (now - lastTickNanos >= TICK_NANOS) {
          lastTickNanos = now;
          tick(now);
        }
        endpoint.idle(work);
      }
    } catch (RuntimeException | Error e) {
      LOG.error("{} failed", self.node(), e);
      fail(FailureKind.INTERNAL, e.toString());
    }
    while (running) {
      repeatLastWord(System.nanoTime());
      LockSupport.parkNanos(TICK_NANOS);
    }
  }

  private void onMessage(NodeId from, DataMessage message) {
    core.onMessage(from, message, System.nanoTime());
  }

  private void tick(long now) {
    repeatLastWord(now);
    if (lastWord instanceof WorkerFailed) {
      return;
    }
    core.tick(now);
    long applied = core.iterationsApplied();
    if (!firstOfEpochTold && applied > appliedBeforeEpoch) {
      firstOfEpochTold = true;
      coordinator.accept(
          new EpochCommitted(self.node(), self.incarnation(), endpoint.epoch().packed()));
    }
    long interval = applied > appliedTold ? NEWS_NANOS : PROGRESS_NANOS;
    if (now - lastProgressNanos >= interval) {
      lastProgressNanos = now;
      appliedTold = applied;
      coordinator.accept(
          new WorkerProgress(
              self.node(),
              self.incarnation(),
              core.samples(),
              core.iterationsApplied(),
              core.takeMeanLoss(),
              dense.streamingAuc()));
    }
  }

  private void fail(FailureKind kind, String reason) {
    if (!(lastWord instanceof WorkerFailed)) {
      say(new WorkerFailed(self.node(), self.incarnation(), kind.word(), reason));
    }
  }

  private void say(ControlMessage last) {
    lastWord = last;
    lastWordNanos = System.nanoTime();
    coordinator.accept(last);
  }

  private void repeatLastWord(long now) {
    if (lastWord != null && now - lastWordNanos >= job.retryNanos()) {
      lastWordNanos = now;
      coordinator.accept(lastWord);
    }
  }

  /** What went over the link; any thread. */
  public EndpointCounters counters() {
    return endpoint.counters();
  }

  /** Stops all threads and releases the buffers and the link. */
  @Override
  public void close() {
    running = false;
    link.wakeUp();
    prepareThread.shutdown();
    denseThread.shutdown();
    try {
      agentThread.join();
      boolean ended =
          prepareThread.awaitTermination(1, TimeUnit.MINUTES)
              && denseThread.awaitTermination(1, TimeUnit.MINUTES);
      if (!ended) {
        LOG.warn("{}: a thread did not end; its buffers are kept", self.node());
        return;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return;
    }
    preparer.close();
    dense.close();
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
      coordinator.accept(message);
    }

    @Override
    public void read(Iteration iteration, LeaseTracker lease) {
      prepareThread.execute(
          () -> {
            try {
              DataRange range = preparer.prepare(iteration, lease);
              post(() -> core.onRead(iteration, range, System.nanoTime()));
            } catch (CriteoDataException e) {
              post(() -> fail(FailureKind.DATA, e.getMessage()));
            } catch (RuntimeException | Error e) {
              LOG.error("{} cannot prepare a batch", self.node(), e);
              post(() -> fail(FailureKind.INTERNAL, e.toString()));
            }
          });
    }

    @Override
    public void compute(Iteration iteration) {
      denseThread.execute(
          () -> {
            try {
              double loss = dense.run(iteration);
              post(() -> core.onComputed(iteration, loss, System.nanoTime()));
            } catch (DenseRunner.NotFiniteException e) {
              post(() -> fail(FailureKind.NUMERIC, e.getMessage()));
            } catch (RuntimeException | Error e) {
              LOG.error("{} cannot compute step {}", self.node(), iteration.step, e);
              post(() -> fail(FailureKind.INTERNAL, e.toString()));
            }
          });
    }

    @Override
    public void fail(FailureKind kind, String reason) {
      WorkerAgent.this.fail(kind, reason);
    }

    @Override
    public void finished() {
      EndpointCounters counters = endpoint.counters();
      say(
          new WorkerFinished(
              self.node(),
              self.incarnation(),
              core.samples(),
              core.iterationsApplied(),
              Map.of(
                  "read", preparer.readNanos(),
                  "pull", core.pullNanos(),
                  "dense", dense.denseNanos(),
                  "push", core.pushNanos(),
                  "wait", dense.waitNanos()),
              Map.of(
                  "pull", counters.pullBytesSent.sum() + counters.pullBytesReceived.sum(),
                  "push", counters.pushBytesSent.sum() + counters.pushBytesReceived.sum())));
    }
  }
}
