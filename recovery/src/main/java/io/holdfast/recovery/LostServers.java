package io.holdfast.recovery;

import io.holdfast.config.job.JobSpec;
import io.holdfast.config.job.Redundancy;
import io.holdfast.config.job.StandIns;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.placement.PlacementMap;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;

/** Servers that died while others could act for them, and have no new process yet. */
final class LostServers {
  private final JobSpec job;
  private final Set<NodeId> lost = new TreeSet<>(PlacementEpochs.ORDER);

  /** Those too that have a new process now. */
  private final Set<NodeId> ever = new TreeSet<>(PlacementEpochs.ORDER);

  LostServers(JobSpec job) {
    this.job = job;
  }

  /**
   * Why the job cannot go on without this server, in words; empty if others can stand in for it.
   *
   * @param map the newest one, with it
   */
  Optional<String> unbearable(NodeId server, JobPhase phase, PlacementMap map) {
    Redundancy redundancy = job.redundancy();
    if (!redundancy.isOn()) {
      return Optional.of("nothing is redundant");
    }
    if (phase.compareTo(JobPhase.TRAINING) < 0) {
      return Optional.of("it was needed to begin");
    }
    if (redundancy.r() > 1 || redundancy.nnReplicas() > 1) {
      return Optional.of(
          "others hold what it takes to act for it, but this version does that only with r = 1 and"
              + " nn.replicas = 1; here r = "
              + redundancy.r()
              + " and nn.replicas = "
              + redundancy.nnReplicas());
    }
    return StandIns.of(job, map.without(server))
        .missing()
        .map(
            missing ->
                "nobody holds "
                    + missing
                    + (lost.isEmpty() ? "" : "; lost before: " + lost)
                    + "; the job cannot bear that");
  }

  /** Others act for this server from now on. */
  void add(NodeId server) {
    lost.add(server);
    ever.add(server);
  }

  /** A new process has taken its place. */
  void replaced(NodeId server) {
    lost.remove(server);
  }

  /** All that ever died. */
  List<NodeId> ever() {
    return List.copyOf(ever);
  }

  /** Whose place a new process is to take: the one it would like, or the first. */
  NodeId place(int preferred) {
    return lost.contains(NodeId.server(Math.max(0, preferred)))
        ? NodeId.server(Math.max(0, preferred))
        : lost.iterator().next();
  }

  boolean any() {
    return !lost.isEmpty();
  }

  List<NodeId> all() {
    return List.copyOf(lost);
  }

  /** What is gone if the job ends because of this server, by name. */
  List<String> shares(NodeId server) {
    List<String> shares = new ArrayList<>();
    Set<NodeId> gone = new TreeSet<>(PlacementEpochs.ORDER);
    gone.addAll(lost);
    gone.add(server);
    for (NodeId each : gone) {
      shares.add(
          each
              + "'s share of the embedding rows: up to "
              + Math.min(job.stripeMap().dataCapacity(), job.model().totalRows())
              + " of "
              + job.model().totalRows());
      int[] shards =
          IntStream.range(0, job.nnShards().count())
              .filter(shard -> job.nnShards().primary(shard) == each.index())
              .toArray();
      if (shards.length > 0) {
        shares.add("NN shards " + Arrays.toString(shards));
      }
    }
    return shares;
  }
}
