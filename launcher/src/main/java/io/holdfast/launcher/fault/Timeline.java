package io.holdfast.launcher.fault;

import java.util.ArrayList;
import java.util.List;

/** How many samples were trained at which time. For one thread at a time. */
public final class Timeline {
  /**
   * A point.
   *
   * @param nanos of {@code System.nanoTime}
   * @param samples trained until then
   */
  public record Point(long nanos, long samples) {}

  private final List<Point> points = new ArrayList<>();

  void add(long nanos, long samples) {
    points.add(new Point(nanos, samples));
  }

  /** All points, in order. */
  public List<Point> points() {
    return List.copyOf(points);
  }

  /** Samples per second between two times, NaN if nothing is known of that. */
  double rate(long fromNanos, long toNanos) {
    if (points.size() < 2 || toNanos - fromNanos <= 0) {
      return Double.NaN;
    }
    return (at(toNanos) - at(fromNanos)) / ((toNanos - fromNanos) / 1e9);
  }

  /** Straight lines between the points. */
  private double at(long nanos) {
    Point before = points.getFirst();
    for (Point point : points) {
      if (point.nanos - nanos >= 0) {
        long span = point.nanos - before.nanos;
        double share = span == 0 ? 1 : Math.max(0, (double) (nanos - before.nanos) / span);
        return before.samples + share * (point.samples - before.samples);
      }
      before = point;
    }
    return before.samples;
  }
}
