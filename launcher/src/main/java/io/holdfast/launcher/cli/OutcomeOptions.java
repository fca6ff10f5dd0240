package io.holdfast.launcher.cli;

import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Option;

/** What a job leaves behind, and what is done to it on the way. */
final class OutcomeOptions {
  @Option(
      names = "--fault",
      paramLabel = "SPEC",
      description = "Inject a failure; this version has none.")
  List<String> faults;

  @Option(names = "--save", paramLabel = "DIR", description = "Save the model to a new directory.")
  Path save;

  @Option(
      names = "--verify",
      description = "After training compare every parity and replica with what it protects.")
  boolean verify;

  @Option(
      names = "--report",
      paramLabel = "FILE",
      description = "Write a report as JSON; its keys are in docs/report.md.")
  Path report;
}
