package io.holdfast.system.sim;

import java.util.Collection;
import java.util.Optional;

/** Runs of whole clusters. */
public final class Simulation {
  private Simulation() {}

  /**
   * How a run went.
   *
   * @param transactions made by workers
   * @param abandoned of them, dropped because their worker died before it had decided
   * @param refusedFrames stale or of fenced processes
   * @param failure what was wrong, if anything was
   */
  public record Result(
      long seed,
      String scenario,
      FaultTally faults,
      long transactions,
      long abandoned,
      long refusedFrames,
      Optional<BrokenInvariant> failure) {}

  /** The last things that happened in a run, and how many before them are not listed. */
  public record Replay(Result result, Collection<String> trace, long earlier) {}

  /** Runs a seed's random scenario; whatever goes wrong is in the result. */
  public static Result run(long seed) {
    return run(Scenarios.random(seed), seed, TraceLog.OFF);
  }

  /**
   * Runs a seed and tells what happened.
   *
   * @param lines longest trace
   */
  public static Replay replay(long seed, int lines) {
    TraceLog trace = new TraceLog(lines);
    Result result = run(Scenarios.random(seed), seed, trace);
    return new Replay(result, trace.lines(), trace.forgotten());
  }

  static Result run(Scenario scenario, long seed, TraceLog trace) {
    try (SimCluster cluster = new SimCluster(scenario, seed, trace)) {
      try {
        cluster.run();
        new Oracles(cluster).check();
        return result(cluster, seed, Optional.empty());
      } catch (BrokenInvariant e) {
        return result(cluster, seed, Optional.of(e));
      } catch (RuntimeException | Error e) {
        return result(cluster, seed, Optional.of(new BrokenInvariant(Oracle.SELF_CHECK, e)));
      }
    }
  }

  private static Result result(SimCluster cluster, long seed, Optional<BrokenInvariant> failure) {
    boolean whole = failure.isEmpty();
    return new Result(
        seed,
        cluster.scenario().toString(),
        cluster.tally,
        cluster.history.size(),
        whole ? cluster.history.abandoned() : 0,
        whole ? cluster.refusedFrames() : 0,
        failure);
  }
}
