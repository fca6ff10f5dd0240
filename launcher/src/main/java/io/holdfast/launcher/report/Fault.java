package io.holdfast.launcher.report;

import java.util.Optional;

/**
 * A failure that the job survived. What is not known, or does not apply, is NaN or empty.
 *
 * @param event what happened: {@code worker-died}, {@code server-died}; of a fault that nobody had
 *     to take for a death, what was done: {@code pause}; {@code did-not-happen}
 * @param node to whom: {@code worker-1}
 * @param atSeconds when, since training began
 * @param spec how it was ordered; empty: nobody ordered it
 * @param detectedMillis from then until the job knew that the process is dead
 * @param firstCommitMillis from then until an iteration was applied everywhere after the job knew,
 *     or after the fault had passed
 * @param rebuiltMillis from then until everything that was lost was redundant again
 * @param rowsDegraded decoded by others that act for the server
 * @param bytesRebuilt for a new server
 * @param throughputBefore samples per second, in the five seconds before
 * @param throughputDuring until it had passed or was rebuilt; else to the next fault or to the end
 * @param throughputAfter from then to the next fault or to the end
 */
public record Fault(
    String event,
    String node,
    double atSeconds,
    Optional<String> spec,
    double detectedMillis,
    double firstCommitMillis,
    double rebuiltMillis,
    Optional<Long> rowsDegraded,
    Optional<Long> bytesRebuilt,
    double throughputBefore,
    double throughputDuring,
    double throughputAfter) {
  /** A fault that was ordered for a moment that did not come. */
  public static Fault thatDidNotHappen(String spec, String node) {
    return new Fault(
        "did-not-happen",
        node,
        Double.NaN,
        Optional.of(spec),
        Double.NaN,
        Double.NaN,
        Double.NaN,
        Optional.empty(),
        Optional.empty(),
        Double.NaN,
        Double.NaN,
        Double.NaN);
  }
}
