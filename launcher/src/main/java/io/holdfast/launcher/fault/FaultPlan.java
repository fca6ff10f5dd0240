package io.holdfast.launcher.fault;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.random.RandomGenerator;

/** Faults drawn at random: the same generator draws the same ones. */
public final class FaultPlan {
  private static final double PAUSE_MILLIS_MIN = 100;

  private FaultPlan() {}

  /**
   * Kills of different servers, at times with exponential gaps.
   *
   * @param mtbfSeconds mean time between two
   * @param servers to choose from
   * @param kills how many, at most one each
   */
  public static List<FaultSpec> kills(
      RandomGenerator random, double mtbfSeconds, int servers, int kills) {
    List<Integer> alive = new ArrayList<>();
    for (int server = 0; server < servers; server++) {
      alive.add(server);
    }
    List<FaultSpec> plan = new ArrayList<>();
    double seconds = 0;
    while (plan.size() < kills && !alive.isEmpty()) {
      seconds += random.nextExponential() * mtbfSeconds;
      int server = alive.remove(random.nextInt(alive.size()));
      plan.add(
          FaultParser.parse(
              String.format(Locale.ROOT, "kill:server-%d@time=%.3fs", server, seconds)));
    }
    return plan;
  }

  /**
   * Pauses of servers and workers that are no deaths, at times with exponential gaps.
   *
   * @param longestMillis a pause's length is between a tenth of a second and this
   */
  public static List<FaultSpec> pauses(
      RandomGenerator random,
      double mtbfSeconds,
      int servers,
      int workers,
      int pauses,
      double longestMillis) {
    List<FaultSpec> plan = new ArrayList<>();
    double seconds = 0;
    while (plan.size() < pauses) {
      seconds += random.nextExponential() * mtbfSeconds;
      int node = random.nextInt(servers + workers);
      double millis =
          PAUSE_MILLIS_MIN + random.nextDouble() * Math.max(0, longestMillis - PAUSE_MILLIS_MIN);
      plan.add(
          FaultParser.parse(
              String.format(
                  Locale.ROOT,
                  "pause:%s:%.0fms@time=%.3fs",
                  node < servers ? "server-" + node : "worker-" + (node - servers),
                  millis,
                  seconds)));
    }
    return plan;
  }
}
