package io.holdfast.launcher.progress;

import java.util.Locale;

/** Words for a progress point. */
final class ProgressLine {
  private ProgressLine() {}

  /**
   * {@code training 45 %, 460,800 of 1,024,000 samples, 12,345 samples/s, loss 0.4512, 0:42 left}.
   */
  static String of(ProgressPoint point, double unitsPerSecond) {
    StringBuilder line = new StringBuilder(point.activity());
    if (point.total() > 0) {
      line.append(String.format(Locale.ROOT, " %d %%,", 100 * point.done() / point.total()));
      line.append(String.format(Locale.ROOT, " %,d of %,d", point.done(), point.total()));
    } else {
      line.append(String.format(Locale.ROOT, " %,d", point.done()));
    }
    line.append(' ').append(point.unit());
    if (unitsPerSecond > 0) {
      line.append(String.format(Locale.ROOT, ", %,.0f %s/s", unitsPerSecond, point.unit()));
    }
    if (!Double.isNaN(point.loss())) {
      line.append(String.format(Locale.ROOT, ", loss %.4f", point.loss()));
    }
    if (!Double.isNaN(point.auc())) {
      line.append(String.format(Locale.ROOT, ", AUC %.4f", point.auc()));
    }
    long left = point.total() - point.done();
    if (unitsPerSecond > 0 && left > 0) {
      line.append(", ").append(clock(Math.round(left / unitsPerSecond))).append(" left");
    }
    return line.toString();
  }

  private static String clock(long seconds) {
    return seconds < 3600
        ? String.format(Locale.ROOT, "%d:%02d", seconds / 60, seconds % 60)
        : String.format(
            Locale.ROOT, "%d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60);
  }
}
