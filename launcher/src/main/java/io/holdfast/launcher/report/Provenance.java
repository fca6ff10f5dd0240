package io.holdfast.launcher.report;

import io.holdfast.launcher.BuildInfo;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Under which circumstances a report came about.
 *
 * @param version of Holdfast
 * @param commit that it was built from; null if not known
 * @param commandLine arguments, the command first
 * @param startedAt ISO 8601, UTC
 * @param settings effective value of every setting, empty for commands without settings
 * @param machine where it ran
 */
public record Provenance(
    String version,
    Optional<String> commit,
    List<String> commandLine,
    String startedAt,
    Map<String, Object> settings,
    Machine machine) {

  /** Of this process, now. */
  public static Provenance of(List<String> commandLine, Map<String, Object> settings) {
    return new Provenance(
        BuildInfo.version(),
        BuildInfo.commit(),
        List.copyOf(commandLine),
        Instant.now().truncatedTo(ChronoUnit.MILLIS).toString(),
        settings,
        Machine.current());
  }
}
