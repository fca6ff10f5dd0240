package io.holdfast.launcher.cli;

import io.holdfast.launcher.report.Fault;
import java.util.Locale;

/** A fault in words. */
final class FaultLine {
  private FaultLine() {}

  /**
   * {@code survived server-died of server-1 at 4.2 s: known after 60 ms, training on after 310 ms}.
   */
  static String of(Fault fault) {
    if (fault.event().equals("did-not-happen")) {
      return "missed      " + fault.spec().orElse("") + ": the job was trained before";
    }
    StringBuilder line =
        new StringBuilder(
            String.format(
                Locale.ROOT,
                "survived    %s of %s at %.1f s",
                fault.event(),
                fault.node(),
                fault.atSeconds()));
    String separator = ": ";
    if (Double.isFinite(fault.detectedMillis())) {
      line.append(
          String.format(Locale.ROOT, "%sknown after %,.0f ms", separator, fault.detectedMillis()));
      separator = ", ";
    }
    if (Double.isFinite(fault.firstCommitMillis())) {
      line.append(
          String.format(
              Locale.ROOT, "%straining on after %,.0f ms", separator, fault.firstCommitMillis()));
      separator = ", ";
    }
    if (Double.isFinite(fault.rebuiltMillis())) {
      line.append(
          String.format(
              Locale.ROOT, "%srebuilt after %.1f s", separator, fault.rebuiltMillis() / 1000));
      separator = ", ";
    }
    if (Double.isFinite(fault.throughputBefore()) && Double.isFinite(fault.throughputDuring())) {
      line.append(
          String.format(
              Locale.ROOT,
              "%s%,.0f samples/s before and %,.0f after",
              separator,
              fault.throughputBefore(),
              fault.throughputDuring()));
    }
    return line.toString();
  }
}
