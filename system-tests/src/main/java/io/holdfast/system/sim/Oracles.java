package io.holdfast.system.sim;

import static io.holdfast.system.sim.BrokenInvariant.require;
import static io.holdfast.system.sim.BrokenInvariant.requireBytes;
import static io.holdfast.system.sim.BrokenInvariant.requireEqual;

import io.holdfast.config.job.JobSpec;
import io.holdfast.config.job.StandIns;
import io.holdfast.config.protocol.DataRange;
import io.holdfast.config.protocol.TxId;
import io.holdfast.recovery.JobOutcome.JobTrained;
import io.holdfast.recovery.Split;
import io.holdfast.recovery.TrainingData;
import io.holdfast.server.standin.StandIn;
import io.holdfast.system.sim.Memory.StoredRow;
import io.holdfast.worker.SteppedWorker.Made;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What must be true when a run is over. What is right is computed from the workers' gradients and
 * from what workers and coordinator decided; no server is asked.
 */
final class Oracles {
  private final SimCluster cluster;
  private final History history;
  private final JobSpec job;
  private final SimModel model;
  private final Expected expected;
  private final List<SimServer> live;

  private Oracles(SimCluster cluster) {
    this.cluster = cluster;
    history = cluster.history;
    job = cluster.scenario().job();
    model = cluster.model();
    expected = new Expected(cluster);
    live = cluster.servers().stream().filter(server -> !server.isDead()).toList();
  }

  /** Everything. */
  static void check(SimCluster cluster) {
    new Oracles(cluster).check();
  }

  private void check() {
    boolean anyReplaced = false;
    for (int server = 0; server < job.servers(); server++) {
      anyReplaced |= cluster.isReplaced(server);
    }
    if (anyReplaced) {
      withOthersInPlace();
    } else if (live.size() < job.servers() && cluster.scenario().faults().told()) {
      withStandIns();
    } else if (live.size() < job.servers()) {
      atStandstill();
    } else {
      atTheEnd();
    }
    for (SimServer server : live) {
      if (!anyReplaced) {
        rows(server);
        shards(server);
      }
      frames(server);
    }
    if (job.redundancy().isOn()) {
      new RedundancyOracle(cluster, expected).check();
    }
  }

  /** No server died: the job is trained. */
  private void atTheEnd() {
    require(
        cluster.outcome() instanceof JobTrained,
        Oracle.LIVENESS,
        () -> "the job ended with " + cluster.outcome());
    List<Made> committed = history.committed();
    for (SimServer server : live) {
      requireEqual(0L, server.core().stagedBytes(), Oracle.LEFTOVERS, "bytes staged at " + server);
    }
    if (cluster.onePhase() && !history.made().stream().allMatch(this::isAcknowledged)) {
      // Somebody died on the way: some servers may have applied what others never got.
      acknowledgedIsApplied();
      return;
    }
    data(committed, (JobTrained) cluster.outcome());
    applied(committed);
    if (model.exact()) {
      sums(committed);
    }
  }

  /**
   * A server died, and others stood in for it. A transaction whose worker died, too, before it was
   * acknowledged, may be torn: that is the hole of guarantee G3. Then only acknowledged ones are
   * sure.
   */
  private void withStandIns() {
    require(
        cluster.outcome() instanceof JobTrained,
        Oracle.LIVENESS,
        () -> "the job ended with " + cluster.outcome());
    for (SimServer server : live) {
      requireEqual(0L, server.core().stagedBytes(), Oracle.LEFTOVERS, "bytes staged at " + server);
    }
    StandIns standIns = cluster.standIns();
    boolean sure = history.made().stream().allMatch(this::isAcknowledged);
    List<Made> must =
        sure ? history.committed() : history.made().stream().filter(this::isAcknowledged).toList();
    for (Made made : must) {
      for (SimServer server : live) {
        require(
            !expected.takesPart(made, server.index())
                || history.isApplied(server.index(), made.tx()),
            Oracle.DECISIONS,
            () -> made.tx() + " is committed, but " + server + " never applied its part");
      }
      for (long row : made.rows()) {
        require(
            !standIns.isLost(cluster.stripes.serverOfRow(row))
                || expected.row(row).updates().contains(made),
            Oracle.DURABILITY,
            () -> made.tx() + " is committed, but lost row " + row + " does not have it");
      }
      for (int shard = 0; shard < cluster.shards.count(); shard++) {
        int id = shard;
        require(
            expected.shard(shard).updates().contains(made),
            Oracle.DURABILITY,
            () -> made.tx() + " is committed, but NN shard " + id + " does not have it");
      }
    }
    for (int lost = 0; lost < job.servers(); lost++) {
      for (SimServer host : live) {
        if (standIns.standsIn(host.index(), lost)) {
          standInRows(host, lost, standIns, sure);
          for (int shard = lost; shard < cluster.shards.count(); shard += job.servers()) {
            if (standIns.deputy(lost) == host.index()) {
              // As with rows: of a worker that died, too, something may be torn.
              if (sure || !model.exact()) {
                shard(shard, host, sure && !history.isUnordered(lost, host.index()));
              }
            }
          }
        }
      }
    }
    if (sure) {
      data(must, (JobTrained) cluster.outcome());
      if (model.exact()) {
        sums(must);
      }
    }
  }

  /**
   * A server died and another process took its place, and then perhaps another one died. Nobody
   * could see in which order its rows have changed, at whoever had them in turn; but the model is
   * exact, so that does not matter: each row is the sum of what is committed.
   */
  private void withOthersInPlace() {
    require(
        cluster.outcome() instanceof JobTrained,
        Oracle.LIVENESS,
        () -> "the job ended with " + cluster.outcome());
    require(model.exact(), Oracle.SELF_CHECK, () -> "a spare in a model that is not exact");
    for (SimServer server : live) {
      requireEqual(0L, server.core().stagedBytes(), Oracle.LEFTOVERS, "bytes staged at " + server);
      require(
          server.core().acting().keySet().stream()
              .allMatch(lost -> cluster.standIns().isLost(lost)),
          Oracle.LEFTOVERS,
          () -> server + " still stands in for " + server.core().acting().keySet());
    }
    if (!history.made().stream().allMatch(this::isAcknowledged)) {
      return; // Some may be torn, and then no sum is right.
    }
    List<Made> committed = history.committed();
    data(committed, (JobTrained) cluster.outcome());
    sums(committed);
    Map<Long, Integer> updates = new HashMap<>();
    committed.forEach(made -> made.rows().forEach(row -> updates.merge(row, 1, Integer::sum)));
    for (long row = 0; row < job.model().totalRows(); row++) {
      SimServer server = cluster.servers().get(cluster.standIns().ofRow(row));
      int owner = cluster.stripes.serverOfRow(row);
      int counter =
          owner == server.index()
              ? server.core().rows().counter(row)
              : server.core().acting().get(owner).rows().counter(row);
      requireEqual(
          expected.reference().initialCounter() + updates.getOrDefault(row, 0),
          counter,
          Oracle.ROWS,
          "updates of row " + row + " at " + server);
    }
  }

  /** As {@link #rows}, of a lost server's rows at one of those who stand in for it. */
  private void standInRows(SimServer host, int lost, StandIns standIns, boolean sure) {
    StandIn acting = host.core().acting().get(lost);
    require(acting != null, Oracle.LIVENESS, () -> host + " does not stand in for " + lost);
    require(acting.isSwept(), Oracle.LIVENESS, () -> host + " has not decoded all of " + lost);
    Map<Long, StoredRow> stored = Memory.rows(job, acting.rows());
    for (long row = 0; row < job.model().totalRows(); row++) {
      if (cluster.stripes.serverOfRow(row) != lost || standIns.ofRow(row) != host.index()) {
        continue;
      }
      StoredRow found = stored.get(row);
      if (sure) {
        requireEqual(
            expected.counter(row),
            found == null ? 0 : found.counter(),
            Oracle.ROWS,
            "updates of lost row " + row + " at " + host);
      }
      if (found != null && sure && (expected.isOrdered(row) || model.exact())) {
        long id = row;
        requireBytes(
            expected.row(row).now(),
            found.bytes(),
            Oracle.ROWS,
            () -> "lost row " + id + " at " + host,
            Reference::text);
      }
    }
  }

  private boolean isAcknowledged(Made made) {
    return history.isAcknowledged(made.tx());
  }

  /** Servers have died, and the others have come to rest. */
  private void atStandstill() {
    require(
        cluster.outcome() == null,
        Oracle.LIVENESS,
        () -> "the job ended without a server: " + cluster.outcome());
    acknowledgedIsApplied();
    learned(history.made().stream().filter(this::isAcknowledged).toList());
  }

  private void acknowledgedIsApplied() {
    for (Made made : history.made()) {
      for (SimServer server : cluster.servers()) {
        require(
            !isAcknowledged(made)
                || !expected.takesPart(made, server.index())
                || history.isApplied(server.index(), made.tx()),
            Oracle.DECISIONS,
            () -> made.tx() + " was acknowledged, but " + server + " never applied its part");
      }
    }
  }

  private Map<String, TxId> learned(Collection<Made> committed) {
    Map<String, TxId> learned = new HashMap<>();
    for (Made each : committed) {
      DataRange range = each.range();
      for (long at = range.from(); at < range.to(); at++) {
        if (model.isGood(range.file(), at)) {
          String line = "line " + at + " of file " + range.file() + " in pass " + range.pass();
          TxId other = learned.put(line, each.tx());
          require(
              other == null,
              Oracle.DATA,
              () -> line + " trained by " + other + " and " + each.tx());
        }
      }
    }
    return learned;
  }

  private void data(List<Made> committed, JobTrained trained) {
    Map<String, TxId> learned = learned(committed);
    TrainingData data = cluster.scenario().data();
    if (data.iterations() > 0) {
      requireEqual(data.iterations(), (long) committed.size(), Oracle.DATA, "iterations");
    } else {
      long good = 0;
      for (Split split : data.splits()) {
        for (long at = split.from(); at < split.to(); at++) {
          good += model.isGood(split.file(), at) ? 1 : 0;
        }
      }
      requireEqual(good * data.passes(), (long) learned.size(), Oracle.DATA, "lines trained");
    }
    requireEqual(
        (long) committed.size(), trained.totals().iterations(), Oracle.DATA, "iterations told");
    requireEqual(
        committed.stream().mapToLong(each -> each.range().samples()).sum(),
        trained.totals().samples(),
        Oracle.DATA,
        "samples told");
  }

  private static void frames(SimServer server) {
    long malformed = server.endpoint().counters().malformed.sum();
    requireEqual(0L, malformed, Oracle.FRAMES, "malformed at " + server);
    long strays = server.endpoint().counters().wrongKey.sum();
    requireEqual(0L, strays, Oracle.FRAMES, "strays at " + server);
  }

  /** Each server has applied its part of what is committed, and nothing else. */
  private void applied(List<Made> committed) {
    for (SimServer server : live) {
      int index = server.index();
      Set<TxId> right =
          committed.stream()
              .filter(each -> expected.takesPart(each, index))
              .map(Made::tx)
              .collect(Collectors.toSet());
      Set<TxId> missing = new HashSet<>(right);
      missing.removeAll(history.applied(index));
      Set<TxId> tooMuch = new HashSet<>(history.applied(index));
      tooMuch.removeAll(right);
      require(missing.isEmpty(), Oracle.DECISIONS, () -> server + " never applied " + missing);
      require(tooMuch.isEmpty(), Oracle.DECISIONS, () -> server + " applied dropped " + tooMuch);
    }
  }

  /** G1: each row is what its transactions make of it, in the order of its owner. */
  private void rows(SimServer server) {
    Map<Long, StoredRow> stored = Memory.rows(job, server.core());
    for (long row = 0; row < job.model().totalRows(); row++) {
      long id = row;
      StoredRow found = stored.get(row);
      if (cluster.stripes.serverOfRow(row) != server.index()) {
        require(found == null, Oracle.ROWS, () -> "row " + id + " is at " + server + " as well");
        continue;
      }
      int counter = expected.counter(row);
      requireEqual(
          counter, found == null ? 0 : found.counter(), Oracle.ROWS, "updates of row " + row);
      if (found != null) {
        requireBytes(
            expected.row(row).now(),
            found.bytes(),
            Oracle.ROWS,
            () -> "row " + id + " of " + server,
            Reference::text);
      }
    }
  }

  private void shards(SimServer server) {
    for (int shard = 0; shard < cluster.shards.count(); shard++) {
      if (cluster.shards.primary(shard) == server.index()) {
        shard(shard, server, true);
      }
    }
  }

  private void shard(int shard, SimServer primary, boolean ordered) {
    if (!ordered && !model.exact()) {
      return;
    }
    requireEqual(
        (long) expected.shard(shard).updates().size(),
        Memory.shardUpdates(primary.core(), shard),
        Oracle.NN,
        "updates of NN shard " + shard);
    requireBytes(
        expected.shard(shard).now(),
        Memory.shard(primary.core(), shard),
        Oracle.NN,
        () -> "NN shard " + shard + " of " + primary,
        Reference::text);
  }

  /**
   * In an exact model no order matters, so this needs nothing that was seen at a server: every
   * float is the sum of the gradients of the committed transactions.
   */
  private void sums(Collection<Made> committed) {
    int dim = job.model().dim();
    Map<Long, float[]> sums = new HashMap<>();
    for (Made each : committed) {
      for (int i = 0; i < each.rows().size(); i++) {
        float[] row = sums.computeIfAbsent(each.rows().get(i), r -> new float[dim]);
        for (int d = 0; d < dim; d++) {
          row[d] -=
              each.gradients().get(ValueLayout.JAVA_FLOAT_UNALIGNED, 4L * ((long) i * dim + d));
        }
      }
    }
    for (SimServer server : live) {
      Map<Long, StoredRow> all = new HashMap<>(Memory.rows(job, server.core()));
      server.core().acting().values().forEach(each -> all.putAll(Memory.rows(job, each.rows())));
      all.forEach(
          (row, found) ->
              requireBytes(
                  bytes(sums.getOrDefault(row, new float[dim])),
                  found.bytes(),
                  Oracle.ROWS,
                  () -> "row " + row + " of " + server + ", as a sum,",
                  Reference::text));
    }
    for (int shard = 0; shard < cluster.shards.count(); shard++) {
      float[] sum = new float[cluster.shards.length(shard)];
      for (Made each : committed) {
        for (int i = 0; i < sum.length; i++) {
          long at = 4L * (cluster.shards.from(shard) + i);
          sum[i] -= each.nnGradients().get(ValueLayout.JAVA_FLOAT_UNALIGNED, at);
        }
      }
      int id = shard;
      requireBytes(
          bytes(sum),
          Memory.shard(primary(shard).core(), shard),
          Oracle.NN,
          () -> "NN shard " + id + ", as a sum,",
          Reference::text);
    }
  }

  /** Who has an NN shard now. */
  private SimServer primary(int shard) {
    return cluster.servers().get(cluster.standIns().deputy(cluster.shards.primary(shard)));
  }

  private static byte[] bytes(float[] values) {
    byte[] bytes = new byte[4 * values.length];
    MemorySegment segment = MemorySegment.ofArray(bytes);
    for (int i = 0; i < values.length; i++) {
      segment.set(ValueLayout.JAVA_FLOAT_UNALIGNED, 4L * i, values[i]);
    }
    return bytes;
  }
}
