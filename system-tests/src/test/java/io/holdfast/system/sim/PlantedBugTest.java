package io.holdfast.system.sim;

import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.slf4j.LoggerFactory;

/** The simulator finds bugs: else its silence would mean nothing. */
final class PlantedBugTest {
  private static final Logger OURS = (Logger) LoggerFactory.getLogger("io.holdfast");
  private static Level levelBefore;

  /** Each bug must be found within so many seeds: those of one test run. */
  private static final int SEEDS = 2_000;

  @BeforeAll
  static void beQuiet() {
    levelBefore = OURS.getLevel();
    SimulateCommand.beQuiet();
  }

  @AfterAll
  static void beAsBefore() {
    OURS.setLevel(levelBefore);
  }

  @ParameterizedTest
  @EnumSource
  void shouldBeFound(PlantedBug bug) {
    int failures = Integer.getInteger("holdfast.sim.bug.failures", 1);
    Map<Oracle, Integer> by = new EnumMap<>(Oracle.class);
    Campaign campaign =
        Campaign.run(
            1,
            SEEDS,
            Math.min(2, Runtime.getRuntime().availableProcessors()),
            failures,
            seed -> Simulation.run(Scenarios.random(seed), seed, TraceLog.OFF, bug.seams()),
            result -> result.failure().ifPresent(f -> by.merge(f.oracle(), 1, Integer::sum)));
    assertTrue(campaign.failures() > 0, bug + " was not found in " + campaign.runs() + " seeds");
    Simulation.Result first = campaign.firstFailure();
    System.out.printf(
        "Planted bug %s: found by %s with seed %d, %d of %d runs failed: %s%n",
        bug,
        by.entrySet().stream()
            .sorted(Map.Entry.<Oracle, Integer>comparingByValue(Comparator.reverseOrder()))
            .map(entry -> entry.getKey() + " " + entry.getValue())
            .collect(Collectors.joining(", ")),
        first.seed(),
        campaign.failures(),
        campaign.runs(),
        first.failure().orElseThrow().getMessage());
  }
}
