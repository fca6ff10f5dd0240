package io.holdfast.system.sim;

import static io.holdfast.system.sim.BrokenInvariant.require;
import static io.holdfast.system.sim.BrokenInvariant.requireBytes;
import static io.holdfast.system.sim.BrokenInvariant.requireEqual;

import io.holdfast.config.job.JobSpec;
import io.holdfast.config.protocol.DataRange;
import io.holdfast.config.protocol.TxId;
import io.holdfast.recovery.JobOutcome.JobTrained;
import io.holdfast.recovery.Split;
import io.holdfast.recovery.TrainingData;
import io.holdfast.server.ServerCore;
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
 * What must be true when a job is over. What is right is computed from the workers' gradients and
 * from what workers and coordinator decided; no server is asked.
 */
final class Oracles {
  private final SimCluster cluster;
  private final History history;
  private final JobSpec job;
  private final SimModel model;
  private final Reference reference;

  Oracles(SimCluster cluster) {
    this.cluster = cluster;
    history = cluster.history;
    job = cluster.scenario().job();
    model = cluster.model();
    reference = new Reference(job, model);
  }

  /** Everything, after a run that came to its end. */
  void check() {
    require(
        cluster.outcome() instanceof JobTrained,
        Oracle.LIVENESS,
        () -> "the job ended with " + cluster.outcome());
    List<Made> committed = history.committed();
    data(committed, (JobTrained) cluster.outcome());
    leftovers();
    applied(committed);
    for (SimServer server : cluster.servers()) {
      rows(server);
      shards(server);
    }
    if (model.exact()) {
      sums(committed);
    }
  }

  private void data(List<Made> committed, JobTrained trained) {
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

  private void leftovers() {
    for (SimServer server : cluster.servers()) {
      requireEqual(0L, server.core().stagedBytes(), Oracle.LEFTOVERS, "bytes staged at " + server);
      requireEqual(
          0L,
          server.endpoint().counters().malformed.sum(),
          Oracle.FRAMES,
          "malformed at " + server);
      requireEqual(
          0L, server.endpoint().counters().wrongKey.sum(), Oracle.FRAMES, "strays at " + server);
    }
  }

  /** Each server has applied its part of what is committed, and nothing else. */
  private void applied(List<Made> committed) {
    for (SimServer server : cluster.servers()) {
      int index = server.index();
      Set<TxId> expected =
          committed.stream()
              .filter(each -> takesPart(each, index))
              .map(Made::tx)
              .collect(Collectors.toSet());
      Set<TxId> missing = new HashSet<>(expected);
      missing.removeAll(history.applied(index));
      Set<TxId> tooMuch = new HashSet<>(history.applied(index));
      tooMuch.removeAll(expected);
      require(missing.isEmpty(), Oracle.DECISIONS, () -> server + " never applied " + missing);
      require(tooMuch.isEmpty(), Oracle.DECISIONS, () -> server + " applied dropped " + tooMuch);
    }
  }

  private boolean takesPart(Made made, int server) {
    return server < cluster.shards.count()
        || !History.rowsAt(made, cluster.stripes, server).isEmpty();
  }

  /** Transactions of a server in the order in which it was seen to apply them. */
  private List<Made> order(int server) {
    return history.applied(server).stream().map(history::of).toList();
  }

  /** G1: each row is what its transactions make of it, in the order of its owner. */
  private void rows(SimServer server) {
    Map<Long, StoredRow> stored = Memory.rows(job, server.core());
    List<Made> order = order(server.index());
    for (long row = 0; row < job.model().totalRows(); row++) {
      if (cluster.stripes.serverOfRow(row) != server.index()) {
        StoredRow foreign = stored.get(row);
        long id = row;
        require(foreign == null, Oracle.ROWS, () -> "row " + id + " is at " + server + " as well");
        continue;
      }
      long id = row;
      List<Made> updates = order.stream().filter(each -> each.rows().contains(id)).toList();
      List<byte[]> states = reference.row(row, updates);
      StoredRow found = stored.get(row);
      int counter = reference.initialCounter() + updates.size();
      requireEqual(
          counter, found == null ? 0 : found.counter(), Oracle.ROWS, "updates of row " + row);
      if (counter > 0) {
        requireBytes(
            states.getLast(),
            found.bytes(),
            Oracle.ROWS,
            () -> "row " + id + " of " + server,
            Reference::text);
      }
    }
  }

  private void shards(SimServer server) {
    List<Made> order = order(server.index());
    for (int shard = 0; shard < cluster.shards.count(); shard++) {
      if (cluster.shards.primary(shard) == server.index()) {
        int id = shard;
        ServerCore core = server.core();
        requireEqual(
            (long) order.size(),
            Memory.shardUpdates(core, shard),
            Oracle.NN,
            "updates of NN shard " + shard);
        requireBytes(
            reference.shard(shard, order).getLast(),
            Memory.shard(core, shard),
            Oracle.NN,
            () -> "NN shard " + id + " of " + server,
            Reference::text);
      }
    }
  }

  /**
   * In an exact model no order matters, so this needs nothing that was seen at a server: every
   * float is the sum of the gradients of the committed transactions.
   */
  private void sums(Collection<Made> committed) {
    int dim = job.model().dim();
    Map<Long, float[]> expected = new HashMap<>();
    for (Made each : committed) {
      for (int i = 0; i < each.rows().size(); i++) {
        float[] row = expected.computeIfAbsent(each.rows().get(i), r -> new float[dim]);
        for (int d = 0; d < dim; d++) {
          row[d] -=
              each.gradients().get(ValueLayout.JAVA_FLOAT_UNALIGNED, 4L * ((long) i * dim + d));
        }
      }
    }
    for (SimServer server : cluster.servers()) {
      Memory.rows(job, server.core())
          .forEach(
              (row, found) ->
                  requireBytes(
                      bytes(expected.getOrDefault(row, new float[dim])),
                      found.bytes(),
                      Oracle.ROWS,
                      () -> "row " + row + " of " + server + ", as a sum,",
                      Reference::text));
    }
    for (int shard = 0; shard < cluster.shards.count(); shard++) {
      float[] sums = new float[cluster.shards.length(shard)];
      for (Made each : committed) {
        for (int i = 0; i < sums.length; i++) {
          long at = 4L * (cluster.shards.from(shard) + i);
          sums[i] -= each.nnGradients().get(ValueLayout.JAVA_FLOAT_UNALIGNED, at);
        }
      }
      int id = shard;
      requireBytes(
          bytes(sums),
          Memory.shard(cluster.servers().get(cluster.shards.primary(shard)).core(), shard),
          Oracle.NN,
          () -> "NN shard " + id + ", as a sum,",
          Reference::text);
    }
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
