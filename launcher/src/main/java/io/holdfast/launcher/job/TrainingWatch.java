package io.holdfast.launcher.job;

import io.holdfast.config.placement.NodeId;
import io.holdfast.launcher.progress.Progress;
import io.holdfast.launcher.progress.ProgressPoint;
import io.holdfast.recovery.JobOutcome;
import io.holdfast.recovery.JobOutcome.FailureKind;
import io.holdfast.recovery.JobOutcome.JobFailed;
import io.holdfast.recovery.JobProgress;
import io.holdfast.recovery.TrainingData;
import io.holdfast.worker.metrics.AucAlarm;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Follows a job from its coordinator's words, and waits for its outcome. Safe for threads. */
public final class TrainingWatch {
  private static final Logger LOG = LoggerFactory.getLogger(TrainingWatch.class);

  /** AUC this near to 0.5 over this many samples is worth a warning. */
  private static final double ALARM_TOLERANCE = 0.01;

  private static final long ALARM_SAMPLES = 1_000_000;

  private final Progress progress;
  private final TrainingData data;
  private final AucAlarm alarm = new AucAlarm(ALARM_TOLERANCE, ALARM_SAMPLES);
  private JobOutcome outcome;
  private JobProgress last;
  private long trainingFromNanos;
  private long trainingToNanos;

  TrainingWatch(Progress progress, TrainingData data) {
    this.progress = progress;
    this.data = data;
  }

  /** The coordinator tells how far the job is. */
  public synchronized void onProgress(JobProgress now) {
    if (last != null && now.lost().size() > last.lost().size()) {
      LOG.warn(
          "lost: {}; others act for it and training goes on, but what it owned has no copies now",
          words(now.lost()));
    }
    if (last != null && now.lost().size() < last.lost().size()) {
      LOG.info(
          "a new process has the place of {}{}",
          words(last.lost().stream().filter(server -> !now.lost().contains(server)).toList()),
          now.lost().isEmpty() ? ": everything is redundant again" : "");
    }
    last = now;
    long nanos = System.nanoTime();
    switch (now.phase()) {
      case TRAINING -> {
        if (trainingFromNanos == 0) {
          trainingFromNanos = nanos;
        }
        progress.at(
            new ProgressPoint(
                activity(now),
                data.iterations() > 0 ? now.iterations() : now.samples(),
                data.iterations(),
                data.iterations() > 0 ? "iterations" : "samples",
                now.loss(),
                now.auc()));
        alarm.update(now.auc(), now.samples(), nanos).ifPresent(LOG::warn);
      }
      case COUNTING, SERVING -> trainingEnds(nanos);
      case GATHERING, STARTING, OVER -> {
        // Nothing to show.
      }
    }
    notifyAll();
  }

  private static String activity(JobProgress now) {
    if (now.lost().isEmpty()) {
      return "training";
    }
    String without = "training without " + words(now.lost());
    return now.replacing() == null
        ? without
        : String.format(
            Locale.ROOT,
            "%s (%s is rebuilt, %.0f %%)",
            without,
            now.replacing().server(),
            100 * now.replacing().share());
  }

  /** The coordinator tells how the job ended. */
  public synchronized void onOutcome(JobOutcome told) {
    trainingEnds(System.nanoTime());
    if (told instanceof JobOutcome.JobTrained trained) {
      trained.warnings().forEach(LOG::warn);
    }
    if (outcome == null || !(told instanceof JobOutcome.JobTrained)) {
      outcome = told;
    }
    notifyAll();
  }

  private static String words(List<NodeId> nodes) {
    return nodes.stream().map(NodeId::toString).collect(Collectors.joining(", "));
  }

  private void trainingEnds(long nanos) {
    if (trainingToNanos == 0) {
      trainingToNanos = nanos;
    }
  }

  /** The job cannot go on for a reason that the coordinator does not know. */
  synchronized void fail(String reason) {
    if (outcome == null) {
      outcome = new JobFailed(FailureKind.INTERNAL, reason);
      notifyAll();
    }
  }

  /**
   * Waits for the outcome.
   *
   * @param joinNanos within which training must have begun
   */
  synchronized JobOutcome await(long joinNanos) throws InterruptedException {
    long start = System.nanoTime();
    while (outcome == null) {
      long left = joinNanos - (System.nanoTime() - start);
      if (trainingFromNanos == 0 && left <= 0) {
        return new JobFailed(
            FailureKind.INTERNAL,
            "after "
                + TimeUnit.NANOSECONDS.toSeconds(joinNanos)
                + " s "
                + (last == null
                    ? "the coordinator has not begun"
                    : last.servers() + " servers and " + last.workers() + " workers have joined")
                + ", and training has not begun; see cluster.join.timeout");
      }
      TimeUnit.NANOSECONDS.timedWait(
          this, trainingFromNanos == 0 ? left : TimeUnit.SECONDS.toNanos(1));
    }
    return outcome;
  }

  /** From the first lease to the last acknowledgement, in seconds. */
  synchronized double trainingSeconds() {
    return Math.max(1, trainingToNanos - trainingFromNanos) / 1e9;
  }
}
