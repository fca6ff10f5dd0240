package io.holdfast.launcher.fault;

import io.holdfast.config.fault.LinkFault;
import io.holdfast.config.fault.ProcessFaults;
import io.holdfast.config.fault.Signal;
import io.holdfast.config.job.JobSpec;
import io.holdfast.config.placement.NodeId;
import io.holdfast.recovery.JobPhase;
import io.holdfast.recovery.JobProgress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Injects faults when their time has come. What is ordered for a phase is armed when its time has
 * come; the process that it befalls then does it to itself, in the middle of what it is doing.
 * Everything happens on one thread.
 */
public final class FaultScheduler implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(FaultScheduler.class);

  private record Armed(FaultSpec fault, NodeId node, long pid) {}

  private final JobSpec job;
  private final Processes processes;
  private final FaultLog log;
  private final double totalUnits;
  private final boolean unitIsIterations;
  private final List<FaultSpec> waiting;

  /** By the number that the process says when it is there. */
  private final Map<Integer, Armed> armed = new HashMap<>();

  private final ScheduledExecutorService executor =
      Executors.newSingleThreadScheduledExecutor(
          task -> Thread.ofPlatform().daemon().name("faults").unstarted(task));
  private int lastId;
  private boolean begun;

  /**
   * Faults that wait for their time.
   *
   * @param totalIterations of the job; 0: {@code totalSamples} counts
   * @param totalSamples about, of the whole job
   */
  public FaultScheduler(
      List<FaultSpec> faults,
      JobSpec job,
      Processes processes,
      FaultLog log,
      long totalIterations,
      double totalSamples) {
    this.waiting = new ArrayList<>(faults);
    this.job = job;
    this.processes = processes;
    this.log = log;
    this.unitIsIterations = totalIterations > 0;
    this.totalUnits = unitIsIterations ? totalIterations : totalSamples;
  }

  /** Does beforehand what takes time. */
  public void prepare() {
    if (!waiting.isEmpty()) {
      later(0, Signal::prepare);
    }
  }

  /** The coordinator tells how far the job is. */
  public synchronized void onProgress(JobProgress progress) {
    if (progress.phase() != JobPhase.TRAINING || waiting.isEmpty() || executor.isShutdown()) {
      return;
    }
    boolean first = !begun;
    begun = true;
    for (Iterator<FaultSpec> each = waiting.iterator(); each.hasNext(); ) {
      FaultSpec fault = each.next();
      double value = fault.trigger().value();
      boolean due =
          switch (fault.trigger().kind()) {
            case START -> true;
            case ITERATION -> progress.iterations() >= value;
            case PROGRESS ->
                (unitIsIterations ? progress.iterations() : progress.samples())
                    >= value * totalUnits;
            case TIME -> {
              if (first) {
                later((long) value, () -> timeHasCome(fault));
              }
              yield false;
            }
          };
      if (due) {
        each.remove();
        later(0, () -> inject(fault));
      }
    }
  }

  private synchronized void timeHasCome(FaultSpec fault) {
    if (waiting.remove(fault)) {
      inject(fault);
    }
  }

  private void later(long nanos, Runnable task) {
    Future<?> _ =
        executor.schedule(
            () -> {
              try {
                task.run();
              } catch (RuntimeException e) {
                LOG.error("A fault could not be injected", e);
              }
            },
            nanos,
            TimeUnit.NANOSECONDS);
  }

  private synchronized void inject(FaultSpec fault) {
    NodeId node = fault.node(job);
    OptionalLong pid = processes.pid(node);
    if (pid.isEmpty()) {
      LOG.warn("--fault {}: {} had ended before", fault.text(), node);
      log.neverInjected(fault);
    } else if (fault.trigger().phase().isPresent()) {
      int id = ++lastId;
      armed.put(id, new Armed(fault, node, pid.getAsLong()));
      Optional<Signal> signal =
          switch (fault.action()) {
            case KILL -> Optional.of(Signal.KILL);
            case STOP, PAUSE -> Optional.of(Signal.STOP);
            case CUT, SLOW, CORRUPT, FILL -> Optional.empty();
          };
      processes.order(node, FaultOrders.arm(fault.trigger().phase().get(), signal, id));
    } else {
      begin(fault, node, pid.getAsLong(), false);
    }
  }

  /** A process has reached the point at which this fault befalls it. */
  public synchronized void onReached(int id) {
    Armed reached = armed.remove(id);
    if (reached != null) {
      begin(reached.fault, reached.node, reached.pid, true);
    }
  }

  private void begin(FaultSpec fault, NodeId node, long pid, boolean signalled) {
    boolean link = fault.target() instanceof FaultTarget.Link;
    LOG.info("--fault {}: {} of {}", fault.text(), fault.action().word(), node);
    FaultLog.Entry entry =
        log.injected(fault, link ? fault.target().toString() : node.toString(), pid);
    switch (fault.action()) {
      case KILL -> signal(Signal.KILL, pid, signalled);
      case STOP -> signal(Signal.STOP, pid, signalled);
      case PAUSE -> {
        signal(Signal.STOP, pid, signalled);
        long nanos = fault.durationNanos().orElseThrow();
        later(
            nanos,
            () -> {
              signal(Signal.CONTINUE, pid, false);
              log.lifted(entry);
            });
      }
      case CUT -> link(fault, new LinkFault(true, 0), entry);
      case SLOW -> link(fault, new LinkFault(false, fault.delayNanos()), entry);
      case CORRUPT ->
          processes.order(node, FaultOrders.corrupt(fault.row().orElse(ProcessFaults.ANY_ROW)));
      case FILL -> processes.order(node, FaultOrders.fill(fault.bytes()));
    }
  }

  private static void signal(Signal signal, long pid, boolean signalled) {
    if (!signalled && !signal.send(pid)) {
      LOG.warn("There is no process {} any more to {}", pid, signal);
    }
  }

  private void link(FaultSpec fault, LinkFault how, FaultLog.Entry entry) {
    FaultTarget.Link link = (FaultTarget.Link) fault.target();
    processes.order(link.one(), FaultOrders.link(link.other(), how, fault.durationNanos()));
    processes.order(link.other(), FaultOrders.link(link.one(), how, fault.durationNanos()));
    fault.durationNanos().ifPresent(nanos -> later(nanos, () -> log.lifted(entry)));
  }

  /** Training is over: faults whose time has not come never happen. */
  public void end() {
    executor.shutdownNow();
    synchronized (this) {
      waiting.forEach(this::neverHappened);
      armed.values().forEach(each -> neverHappened(each.fault));
      waiting.clear();
      armed.clear();
    }
  }

  @Override
  public void close() {
    end();
  }

  private void neverHappened(FaultSpec fault) {
    LOG.warn("--fault {} did not happen: the job was trained before", fault.text());
    log.neverInjected(fault);
  }
}
