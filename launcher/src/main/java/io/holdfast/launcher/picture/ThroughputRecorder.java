package io.holdfast.launcher.picture;

import io.holdfast.launcher.progress.Progress;
import io.holdfast.launcher.progress.ProgressPoint;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Keeps how fast training was while it shows its progress. Safe for threads. */
public final class ThroughputRecorder implements Progress {
  private static final long WINDOW_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

  /**
   * Of one stretch of time.
   *
   * @param seconds its middle, since training began
   * @param rate units per second
   */
  public record Rate(double seconds, double rate) {}

  private final Progress progress;
  private final List<Rate> rates = new ArrayList<>();
  private String unit = "samples";
  private long startNanos;
  private long fromNanos;
  private long fromDone;
  private boolean begun;

  /** Records what goes on to {@code progress}. */
  public ThroughputRecorder(Progress progress) {
    this.progress = progress;
  }

  @Override
  public synchronized void at(ProgressPoint point) {
    progress.at(point);
    if (!point.activity().startsWith("training")) {
      return;
    }
    long now = System.nanoTime();
    if (!begun) {
      begun = true;
      unit = point.unit();
      startNanos = now;
      fromNanos = now;
      fromDone = point.done();
    } else if (now - fromNanos >= WINDOW_NANOS) {
      double seconds = (now - fromNanos) / 1e9;
      rates.add(
          new Rate(
              ((fromNanos - startNanos) + (now - startNanos)) / 2e9,
              (point.done() - fromDone) / seconds));
      fromNanos = now;
      fromDone = point.done();
    }
  }

  /** All stretches, in order. */
  public synchronized List<Rate> rates() {
    return List.copyOf(rates);
  }

  /** What is counted. */
  public synchronized String unit() {
    return unit;
  }

  @Override
  public void close() {
    progress.close();
  }
}
