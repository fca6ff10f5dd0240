package io.holdfast.worker.metrics;

import java.util.Locale;
import java.util.Optional;

/**
 * Tells when AUC sits at 0.5: the job runs, but the model knows nothing. Usual causes are labels or
 * columns that are mixed up, a learning rate that has killed every ReLU, and updates that never
 * reach the parameters. For use by one thread.
 */
public final class AucAlarm {
  private final double tolerance;
  private final long patienceSamples;
  private boolean sitting;
  private boolean raised;
  private long sinceSamples;
  private long sinceNanos;

  /**
   * Starts calm.
   *
   * @param tolerance how near to 0.5 counts as at 0.5, for instance 0.01
   * @param patienceSamples over how many samples AUC must sit there
   */
  public AucAlarm(double tolerance, long patienceSamples) {
    if (!(tolerance >= 0 && tolerance < 0.5)) {
      throw new IllegalArgumentException(
          "the tolerance is " + tolerance + ", must be from 0 to less than 0.5");
    }
    if (patienceSamples < 1) {
      throw new IllegalArgumentException(
          "the patience is " + patienceSamples + " samples, must be at least 1");
    }
    this.tolerance = tolerance;
    this.patienceSamples = patienceSamples;
  }

  /**
   * Takes note of the current AUC.
   *
   * @param auc the estimate; NaN if all labels were equal, which counts as knowing nothing
   * @param samples trained on so far
   * @return a message when the alarm goes off, once until AUC has left 0.5 again
   */
  public Optional<String> update(double auc, long samples, long nowNanos) {
    if (Math.abs(auc - 0.5) > tolerance) {
      sitting = false;
      raised = false;
      return Optional.empty();
    }
    if (!sitting) {
      sitting = true;
      sinceSamples = samples;
      sinceNanos = nowNanos;
    }
    if (raised || samples - sinceSamples < patienceSamples) {
      return Optional.empty();
    }
    raised = true;
    String state =
        Double.isNaN(auc)
            ? "AUC cannot be computed, because all labels are equal,"
            : String.format(Locale.ROOT, "AUC is %.4f, no better than chance,", auc);
    return Optional.of(
        String.format(
            Locale.ROOT,
            "%s for %d samples and %.1f s. Check that labels and columns are right, and try a lower"
                + " learning rate.",
            state,
            samples - sinceSamples,
            (nowNanos - sinceNanos) / 1e9));
  }

  /** Whether the alarm has gone off and AUC has not left 0.5 since. */
  public boolean active() {
    return raised;
  }
}
