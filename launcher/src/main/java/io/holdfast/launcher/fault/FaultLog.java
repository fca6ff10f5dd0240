package io.holdfast.launcher.fault;

import io.holdfast.config.control.WorkerControl.EpochCommitted;
import io.holdfast.config.placement.NodeId;
import io.holdfast.launcher.report.Fault;
import io.holdfast.recovery.JobPhase;
import io.holdfast.recovery.JobProgress;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * What befell a job and what became of it: faults that were injected, and deaths that nobody
 * ordered. Times are this process's; the job's processes need no common clock. Safe for threads.
 */
public final class FaultLog {
  private static final double NANOS_PER_MILLI = 1e6;

  /** The stretch before a fault with which training is compared. */
  private static final long BEFORE_NANOS = 5_000_000_000L;

  /** A process that goes on may be taken for dead for so long afterwards. */
  private static final long LATE_NANOS = 10_000_000_000L;

  /** One that befell the job. */
  static final class Entry {
    private final Optional<String> spec;
    private final String node;
    private final long pid;
    private final long atNanos;
    private String event;
    private Long detectedNanos;
    private Long liftedNanos;
    private Long firstCommitNanos;
    private Long rebuiltNanos;
    private Long rebuiltBytes;
    private long epochBefore;
    private long iterationsBefore;

    private Entry(Optional<String> spec, String event, String node, long pid, long atNanos) {
      this.spec = spec;
      this.event = event;
      this.node = node;
      this.pid = pid;
      this.atNanos = atNanos;
    }

    private boolean died() {
      return event.endsWith("-died");
    }
  }

  private final LongSupplier nanoTime;
  private final List<Entry> entries = new ArrayList<>();
  private final Timeline timeline = new Timeline();
  private List<NodeId> lost = List.of();
  private int workers;
  private long iterations;
  private long epoch;
  private Long trainingFromNanos;
  private Long trainingToNanos;

  /** Nothing has happened yet. */
  public FaultLog() {
    this(System::nanoTime);
  }

  FaultLog(LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
  }

  /** A fault is injected now. */
  synchronized Entry injected(FaultSpec spec, String whom, long pid) {
    return add(Optional.of(spec.text()), spec.action().word(), whom, pid);
  }

  /** A fault did not happen: the job, or whom it was to befall, ended before. */
  synchronized void neverInjected(FaultSpec spec) {
    entries.add(
        new Entry(
            Optional.of(spec.text()),
            "did-not-happen",
            spec.target().toString(),
            0,
            Long.MIN_VALUE));
  }

  private Entry add(Optional<String> spec, String event, String whom, long pid) {
    Entry entry = new Entry(spec, event, whom, pid, nanoTime.getAsLong());
    entry.iterationsBefore = iterations;
    entries.add(entry);
    return entry;
  }

  /** A fault has passed by itself. */
  synchronized void lifted(Entry entry) {
    entry.liftedNanos = nanoTime.getAsLong();
    entry.iterationsBefore = iterations;
  }

  /** A process ended that had not been asked to. */
  public synchronized void ended(NodeId node, long pid) {
    boolean known =
        entries.stream()
            .anyMatch(each -> each.died() && each.pid == pid && each.node.equals(node.toString()));
    if (known) {
      return;
    }
    Entry entry =
        ordered(node).orElseGet(() -> add(Optional.empty(), died(node), node.toString(), pid));
    // A worker is known to be dead when its end is told; a server when others act for it.
    if (node.role() == NodeId.Role.WORKER) {
      detected(entry, node);
    }
  }

  /** The fault that was ordered and of which this node may die now, or has died unnoticed. */
  private Optional<Entry> ordered(NodeId node) {
    long now = nanoTime.getAsLong();
    return entries.reversed().stream()
        .filter(each -> each.node.equals(node.toString()) && each.detectedNanos == null)
        .filter(each -> each.died() || mayDie(each, now))
        .findFirst();
  }

  private static boolean mayDie(Entry entry, long now) {
    return List.of("kill", "stop", "pause").contains(entry.event)
        && (entry.liftedNanos == null || now - entry.liftedNanos < LATE_NANOS);
  }

  private static String died(NodeId node) {
    return node.role().name().toLowerCase(Locale.ROOT) + "-died";
  }

  private void detected(Entry entry, NodeId node) {
    if (entry.detectedNanos == null) {
      entry.event = died(node);
      entry.detectedNanos = nanoTime.getAsLong();
      entry.epochBefore = epoch;
    }
  }

  /** The coordinator tells how far the job is. */
  public synchronized void onProgress(JobProgress progress) {
    long now = nanoTime.getAsLong();
    boolean training = progress.phase() == JobPhase.TRAINING;
    if (training && trainingFromNanos == null) {
      trainingFromNanos = now;
    }
    if (progress.phase().compareTo(JobPhase.TRAINING) > 0 && trainingToNanos == null) {
      trainingToNanos = now;
    }
    if (trainingFromNanos != null && trainingToNanos == null) {
      timeline.add(now, progress.samples());
    }
    progress.lost().stream().filter(node -> !lost.contains(node)).forEach(this::lost);
    lost.stream()
        .filter(node -> !progress.lost().contains(node))
        .forEach(node -> rebuilt(node, now));
    if (training && progress.workers() < workers) {
      silentWorker();
    }
    for (Entry entry : entries) {
      if (!entry.died()
          && entry.liftedNanos != null
          && entry.firstCommitNanos == null
          && progress.iterations() > entry.iterationsBefore) {
        entry.firstCommitNanos = now;
      }
    }
    if (progress.replacing() != null) {
      String node = progress.replacing().server().toString();
      entries.stream()
          .filter(each -> each.node.equals(node) && each.died() && each.rebuiltNanos == null)
          .forEach(each -> each.rebuiltBytes = progress.replacing().bytes());
    }
    lost = progress.lost();
    workers = progress.workers();
    iterations = progress.iterations();
  }

  private void lost(NodeId node) {
    Entry entry =
        ordered(node).orElseGet(() -> add(Optional.empty(), died(node), node.toString(), 0));
    detected(entry, node);
  }

  /** One worker less, and no process has ended: the one that was stopped. */
  private void silentWorker() {
    for (Entry entry : entries) {
      boolean stopped = entry.event.equals("stop") || entry.event.equals("pause");
      if (stopped && entry.node.startsWith("worker-") && entry.detectedNanos == null) {
        detected(entry, NodeId.worker(Integer.parseInt(entry.node.substring("worker-".length()))));
        return;
      }
    }
  }

  private void rebuilt(NodeId node, long now) {
    for (Entry entry : entries) {
      if (entry.node.equals(node.toString()) && entry.died() && entry.rebuiltNanos == null) {
        entry.rebuiltNanos = now;
      }
    }
  }

  /** A worker tells of its first iteration in an epoch. */
  public synchronized void onCommitted(EpochCommitted committed) {
    long now = nanoTime.getAsLong();
    for (Entry entry : entries) {
      if (entry.detectedNanos != null
          && entry.firstCommitNanos == null
          && committed.epoch() > entry.epochBefore) {
        entry.firstCommitNanos = now;
      }
    }
    epoch = Math.max(epoch, committed.epoch());
  }

  /** Since training began; 0 before. */
  public synchronized double secondsSinceStart() {
    return trainingFromNanos == null ? 0 : (nanoTime.getAsLong() - trainingFromNanos) / 1e9;
  }

  /**
   * All that befell the job, in order.
   *
   * @param rowsDecoded by stand-ins, of all lost servers together
   */
  public synchronized List<Fault> faults(long rowsDecoded) {
    long died =
        entries.stream().filter(each -> each.died() && each.node.startsWith("server-")).count();
    return entries.stream().map(each -> fault(each, died == 1 ? rowsDecoded : -1)).toList();
  }

  private Fault fault(Entry entry, long rowsDecoded) {
    if (entry.atNanos == Long.MIN_VALUE) {
      return Fault.thatDidNotHappen(entry.spec.orElseThrow(), entry.node);
    }
    long from = trainingFromNanos == null ? entry.atNanos : trainingFromNanos;
    long to = trainingToNanos == null ? nanoTime.getAsLong() : trainingToNanos;
    Long passed = entry.died() ? entry.rebuiltNanos : entry.liftedNanos;
    for (Entry other : entries) {
      if (other.atNanos - entry.atNanos > 0 && other.atNanos != Long.MIN_VALUE) {
        to = Math.min(to, other.atNanos); // What comes after the next one is the next one's.
      }
    }
    boolean server = entry.died() && entry.node.startsWith("server-");
    return new Fault(
        entry.event,
        entry.node,
        (entry.atNanos - from) / 1e9,
        entry.spec,
        millis(entry, entry.detectedNanos),
        millis(entry, entry.firstCommitNanos),
        millis(entry, entry.rebuiltNanos),
        server && rowsDecoded >= 0 ? Optional.of(rowsDecoded) : Optional.empty(),
        entry.rebuiltNanos == null ? Optional.empty() : Optional.ofNullable(entry.rebuiltBytes),
        timeline.rate(Math.max(from, entry.atNanos - BEFORE_NANOS), entry.atNanos),
        timeline.rate(entry.atNanos, passed == null ? to : Math.min(passed, to)),
        passed == null ? Double.NaN : timeline.rate(passed, to));
  }

  private static double millis(Entry entry, Long nanos) {
    return nanos == null ? Double.NaN : (nanos - entry.atNanos) / NANOS_PER_MILLI;
  }
}
