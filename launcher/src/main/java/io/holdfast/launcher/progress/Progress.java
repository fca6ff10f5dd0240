package io.holdfast.launcher.progress;

/**
 * Shows how far an activity is. Safe for several threads; cheap, so call it as often as you like.
 */
public interface Progress extends AutoCloseable {
  /** Shows nothing. */
  Progress NONE =
      new Progress() {
        @Override
        public void at(ProgressPoint point) {}

        @Override
        public void close() {}
      };

  /** Something moved on. Another activity than the last point's begins a new line. */
  void at(ProgressPoint point);

  /** An activity without loss and AUC. */
  default void at(String activity, long done, long total, String unit) {
    at(new ProgressPoint(activity, done, total, unit, Double.NaN, Double.NaN));
  }

  /** Ends the last line. */
  @Override
  void close();
}
