package io.holdfast.launcher.cli;

import io.holdfast.launcher.fault.FaultParser;
import io.holdfast.launcher.fault.FaultSpec;
import io.holdfast.launcher.fault.FaultSpecException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/** What a job leaves behind, and what is done to it on the way. */
final class OutcomeOptions {
  @Option(
      names = "--fault",
      paramLabel = "SPEC",
      description = {
        "Inject a failure (with --processes): ACTION:TARGET@WHEN, such as",
        "kill:server-1@iteration=200; all are in docs/faults.md. Repeatable."
      })
  private List<String> faults = new ArrayList<>();

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

  /** The failures to inject. */
  List<FaultSpec> faults(CommonOptions common) {
    try {
      return faults.stream().map(FaultParser::parse).toList();
    } catch (FaultSpecException e) {
      throw common.badUsage(e.getMessage());
    }
  }
}
