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
   * @param unacknowledged of them, not seen applied everywhere, because somebody died
   * @param refusedFrames stale or of fenced processes
   * @param failure what was wrong, if anything was
   */
  public record Result(
      long seed,
      String scenario,
      FaultTally faults,
      long transactions,
      long unacknowledged,
      long refusedFrames,
      Optional<BrokenInvariant> failure) {}

  /** The last things that happened in a run, and how many before them are not listed. */
  public record Replay(Result result, Collection<String> trace, long earlier) {}

  /** Runs a seed's random scenario; whatever goes wrong is in the result. */
  public static Result run(long seed) {
    return run(Scenarios.random(seed), seed, TraceLog.OFF, new Seams());
  }

  /**
   * Runs a seed and tells what happened.
   *
   * @param lines longest trace
   */
  public static Replay replay(long seed, int lines) {
    TraceLog trace = new TraceLog(lines);
    Result result = run(Scenarios.random(seed), seed, trace, new Seams());
    return new Replay(result, trace.lines(), trace.forgotten());
  }

  static Result run(Scenario scenario, long seed, TraceLog trace, Seams seams) {
    try (SimCluster cluster = new SimCluster(scenario, seed, trace, seams)) {
      try {
        cluster.run();
        Oracles.check(cluster);
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
        cluster.history.unacknowledged(),
        whole ? cluster.refusedFrames() : 0,
        failure);
  }
}
