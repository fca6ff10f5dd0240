package io.holdfast.system.sim;

import static io.holdfast.system.sim.BrokenInvariant.require;
import static io.holdfast.system.sim.BrokenInvariant.requireBytes;
import static io.holdfast.system.sim.BrokenInvariant.requireEqual;

import io.holdfast.config.control.ServerControl.RangeRecord;
import io.holdfast.config.job.JobSpec;
import io.holdfast.config.job.Redundancy;
import io.holdfast.config.placement.Backups;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.placement.StripeMap;
import io.holdfast.config.protocol.DataRange;
import io.holdfast.erasure.CodeKind;
import io.holdfast.erasure.Decoder;
import io.holdfast.erasure.ErasureCode;
import io.holdfast.erasure.ErasureCodes;
import io.holdfast.server.ServerCore;
import io.holdfast.server.storage.ParityStore;
import io.holdfast.server.storage.RefusedException;
import io.holdfast.server.storage.RowStore;
import io.holdfast.system.sim.Expected.Past;
import io.holdfast.worker.SteppedWorker.Made;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What must be true of redundant copies once all is still, with up to {@code r} servers dead. Every
 * row is decoded, for every set of up to {@code r} servers that could be lost (the dead ones among
 * them), from what the others hold, by an erasure code of its own; nothing is asked of any server
 * but its memory.
 */
final class RedundancyOracle {
  /** Of the float sum, which rounds: relative to the largest value of the stripe. */
  private static final double SUM_TOLERANCE = 1e-4;

  private final SimCluster cluster;
  private final JobSpec job;
  private final Redundancy redundancy;
  private final StripeMap map;
  private final Expected expected;
  private final ErasureCode code;
  private final int k;
  private final int r;
  private final int rowBytes;
  private final List<SimServer> servers;

  /** Whether others stand in for servers that died. */
  private final boolean standing;

  private final Map<List<Integer>, Decoder> decoders = new HashMap<>();

  RedundancyOracle(SimCluster cluster, Expected expected) {
    this.cluster = cluster;
    this.expected = expected;
    job = cluster.scenario().job();
    redundancy = job.redundancy();
    map = cluster.stripes;
    k = map.k();
    r = map.r();
    code = ErasureCodes.create(CodeKind.ofSettingName(redundancy.code()), k, r);
    rowBytes = job.rowLayout().rowBytes();
    servers = cluster.servers();
    standing = cluster.scenario().faults().told();
  }

  void check() {
    if (standing || servers.stream().noneMatch(SimProcess::isDead)) {
      streams();
    }
    for (long stripe = 0; stripe < map.stripes(); stripe++) {
      stripe(stripe);
    }
    replicas();
    ledgers();
    bounds();
  }

  private void streams() {
    for (SimServer server : servers) {
      if (server.isDead()) {
        continue;
      }
      requireEqual(
          0L,
          server.core().origin().unacknowledgedItems(),
          Oracle.STREAMS,
          "items of " + server + " that nobody acknowledged");
      requireEqual(
          0L, server.core().origin().unacknowledgedBytes(), Oracle.STREAMS, "bytes of " + server);
    }
  }

  // Rows.

  /** A parity as it is held, or, once levelled, as it is after the same updates as the others. */
  private static final class Held {
    final SimServer holder;
    final int parity;
    final MemorySegment bytes;
    final int[] counters;

    Held(SimServer holder, int parity, MemorySegment bytes, int[] counters) {
      this.holder = holder;
      this.parity = parity;
      this.bytes = bytes;
      this.counters = counters;
    }
  }

  private void stripe(long stripe) {
    MemorySegment[] changes = new MemorySegment[k];
    List<Held> held = new ArrayList<>();
    for (int parity = 0; parity < r; parity++) {
      SimServer holder = servers.get(map.serverOf(stripe, k + parity));
      if (!holder.isDead()) {
        held.add(held(stripe, parity, holder));
      }
    }
    for (int member = 0; member < k; member++) {
      long row = stripe * k + member;
      changes[member] = MemorySegment.ofArray(new byte[rowBytes]);
      SimServer owner = row < map.rows() ? servers.get(map.serverOfRow(row)) : null;
      if (owner != null && standing && owner.isDead()) {
        SimServer host = servers.get(cluster.standIns().ofRow(row));
        changes[member] =
            inMemory(row, member, held, host.core().acting().get(owner.index()).rows());
      } else if (owner != null && anyReplaced()) {
        changes[member] = inMemory(row, member, held, owner.core().rows());
      } else if (row < map.rows()) {
        int updates = level(row, member, held);
        changes[member] = changes(row, updates);
      }
    }
    for (Held each : held) {
      parity(stripe, each, changes);
    }
    decode(stripe, changes, held);
  }

  /** Whether rows had several owners in turn: then nobody saw in which order they changed. */
  private boolean anyReplaced() {
    return servers.stream().anyMatch(server -> cluster.isReplaced(server.index()));
  }

  /** What has changed in a row, by the memory of its owner or of who stands in for it. */
  private MemorySegment inMemory(long row, int member, List<Held> held, RowStore rows) {
    MemorySegment changes = MemorySegment.ofArray(new byte[rowBytes]);
    for (Held each : held) {
      requireEqual(
          rows.counter(row),
          each.counters[member],
          Oracle.PARITY,
          "updates of lost row " + row + " that " + each.holder + " has folded");
    }
    if (rows.counter(row) > 0) {
      rows.changes(row, code, changes, 0);
    }
    return changes;
  }

  private Held held(long stripe, int parity, SimServer holder) {
    ParityStore store = holder.core().parities();
    long place = store.placeOf(stripe);
    require(
        place >= 0 && store.parityOf(stripe) == parity,
        Oracle.PARITY,
        () -> holder + " does not hold parity " + parity + " of stripe " + stripe);
    byte[] bytes = store.parity(place).toArray(ValueLayout.JAVA_BYTE);
    int[] counters = new int[k];
    for (int member = 0; member < k; member++) {
      counters[member] = store.counter(place, member);
    }
    return new Held(holder, parity, MemorySegment.ofArray(bytes), counters);
  }

  /**
   * Brings all holders of a row's parities to the same update of it.
   *
   * @return how many of its updates they then hold
   */
  private int level(long row, int member, List<Held> held) {
    SimServer owner = servers.get(map.serverOfRow(row));
    Past past = expected.row(row);
    int first = expected.reference().initialCounter();
    if (!owner.isDead()) {
      for (Held each : held) {
        requireEqual(
            expected.counter(row),
            each.counters[member],
            Oracle.PARITY,
            "updates of row " + row + " that " + each.holder + " has folded");
      }
      return past.updates().size();
    }
    int most = first;
    for (Held each : held) {
      int has = each.counters[member] - first;
      require(
          has >= past.acknowledged(),
          Oracle.DURABILITY,
          () ->
              each.holder
                  + " has folded "
                  + has
                  + " updates of row "
                  + row
                  + " of dead "
                  + owner
                  + ", but "
                  + past.acknowledged()
                  + " were acknowledged, the last one being "
                  + past.updates().get(past.acknowledged() - 1).tx());
      most = Math.max(most, each.counters[member]);
    }
    if (held.isEmpty()) {
      return past.acknowledged(); // Only parities are lost with them, or there are more than r.
    }
    for (Held each : held) {
      for (int next = each.counters[member] + 1; next <= most; next++) {
        MemorySegment difference = fromTails(row, next, held);
        code.foldDifference(member, each.parity, difference, 0, each.bytes, 0, rowBytes);
      }
      each.counters[member] = most;
    }
    int updates = most - first;
    require(
        updates <= past.updates().size(),
        Oracle.PARITY,
        () ->
            updates
                + " updates of row "
                + row
                + " are folded, there were only "
                + past.updates().size());
    return updates;
  }

  /** The difference that another holder keeps because this one may lack it. */
  private MemorySegment fromTails(long row, int counter, List<Held> held) {
    List<MemorySegment> found = new ArrayList<>();
    for (Held each : held) {
      each.holder
          .core()
          .holder()
          .tail(
              map.serverOfRow(row),
              (id, itsCounter, difference) -> {
                if (id == row && itsCounter == counter) {
                  found.add(MemorySegment.ofArray(difference.toArray(ValueLayout.JAVA_BYTE)));
                }
              });
    }
    require(
        !found.isEmpty(),
        Oracle.TAILS,
        () ->
            "update "
                + counter
                + " of row "
                + row
                + " is folded at one holder, missing at another, and in no tail");
    return found.getFirst();
  }

  /** What has changed in a row since it was initial, by the reference. */
  private MemorySegment changes(long row, int updates) {
    MemorySegment changes = MemorySegment.ofArray(new byte[rowBytes]);
    if (expected.reference().initialCounter() + updates > 0) {
      MemorySegment base = MemorySegment.ofArray(expected.reference().baseRow(row));
      MemorySegment now = MemorySegment.ofArray(expected.row(row).states().get(updates));
      code.difference(base, 0, now, 0, changes, 0, rowBytes);
    }
    return changes;
  }

  private void parity(long stripe, Held held, MemorySegment[] changes) {
    MemorySegment[] parities = new MemorySegment[r];
    for (int parity = 0; parity < r; parity++) {
      parities[parity] = MemorySegment.ofArray(new byte[rowBytes]);
    }
    code.encode(changes, parities);
    requireSame(
        parities[held.parity],
        held.bytes,
        scale(changes),
        Oracle.PARITY,
        "parity " + held.parity + " of stripe " + stripe + " at " + held.holder);
  }

  /** Decodes the stripe's rows for every set of servers that may be lost. */
  private void decode(long stripe, MemorySegment[] changes, List<Held> held) {
    List<Integer> dead = new ArrayList<>();
    List<Integer> alive = new ArrayList<>();
    for (int unit = 0; unit < k + r; unit++) {
      (servers.get(map.serverOf(stripe, unit)).isDead() ? dead : alive).add(unit);
    }
    int deadServers = (int) servers.stream().filter(SimProcess::isDead).count();
    decode(stripe, dead, alive, 0, r - deadServers, changes, held);
  }

  private void decode(
      long stripe,
      List<Integer> lost,
      List<Integer> alive,
      int from,
      int more,
      MemorySegment[] changes,
      List<Held> held) {
    if (lost.stream().anyMatch(unit -> unit < k)) {
      decode(stripe, lost, changes, held);
    }
    for (int i = from; i < alive.size() && more > 0; i++) {
      List<Integer> next = new ArrayList<>(lost);
      next.add(alive.get(i));
      next.sort(null);
      decode(stripe, next, alive, i + 1, more - 1, changes, held);
    }
  }

  private void decode(long stripe, List<Integer> lost, MemorySegment[] changes, List<Held> held) {
    Decoder decoder =
        decoders.computeIfAbsent(
            lost, units -> code.decoder(units.stream().mapToInt(Integer::intValue).toArray()));
    int[] sources = decoder.sources();
    MemorySegment[] from = new MemorySegment[sources.length];
    for (int i = 0; i < sources.length; i++) {
      int unit = sources[i];
      from[i] =
          unit < k
              ? stored(stripe * k + unit)
              : held.stream()
                  .filter(each -> each.parity == unit - k)
                  .map(each -> each.bytes)
                  .findFirst()
                  .orElseThrow();
    }
    int[] targets = decoder.targets();
    MemorySegment[] to = new MemorySegment[targets.length];
    for (int i = 0; i < targets.length; i++) {
      to[i] = MemorySegment.ofArray(new byte[rowBytes]);
    }
    decoder.decode(from, to);
    for (int i = 0; i < targets.length; i++) {
      if (targets[i] < k) {
        requireSame(
            changes[targets[i]],
            to[i],
            scale(changes),
            Oracle.DECODE,
            "row " + (stripe * k + targets[i]) + ", decoded without units " + lost + ", changes");
      }
    }
  }

  /** What has changed in a row since it was initial, by its owner's memory. */
  private MemorySegment stored(long row) {
    MemorySegment changes = MemorySegment.ofArray(new byte[rowBytes]);
    if (row < map.rows()) {
      ServerCore core = servers.get(map.serverOfRow(row)).core();
      if (core.rows().counter(row) > 0) {
        core.rows().changes(row, code, changes, 0);
      }
    }
    return changes;
  }

  private double scale(MemorySegment[] values) {
    double largest = 1;
    for (MemorySegment each : values) {
      for (long at = 0; at < each.byteSize(); at += 4) {
        float value = Math.abs(each.get(ValueLayout.JAVA_FLOAT_UNALIGNED, at));
        largest = Float.isFinite(value) ? Math.max(largest, value) : largest;
      }
    }
    return largest;
  }

  private void requireSame(
      MemorySegment right, MemorySegment found, double scale, Oracle oracle, String what) {
    if (code.kind() != CodeKind.FLOAT_SUM) {
      byte[] a = right.toArray(ValueLayout.JAVA_BYTE);
      byte[] b = found.toArray(ValueLayout.JAVA_BYTE);
      requireBytes(a, b, oracle, () -> what, Reference::text);
      return;
    }
    for (long at = 0; at < right.byteSize(); at += 4) {
      float a = right.get(ValueLayout.JAVA_FLOAT_UNALIGNED, at);
      float b = found.get(ValueLayout.JAVA_FLOAT_UNALIGNED, at);
      require(
          Float.compare(a, b) == 0 || Math.abs((double) a - b) <= SUM_TOLERANCE * scale,
          oracle,
          () -> what + " are " + b + ", should be " + a);
    }
  }

  // Copies.

  private void replicas() {
    for (int shard = 0; shard < cluster.shards.count(); shard++) {
      int primary = cluster.shards.primary(shard);
      if (standing && servers.get(primary).isDead()) {
        continue; // Its copy is the primary now.
      }
      for (int copy = 0; copy < redundancy.nnReplicas(); copy++) {
        SimServer backup = servers.get(Backups.backup(primary, copy, servers.size()));
        if (!backup.isDead() && anyReplaced()) {
          sameReplica(shard, primary, backup);
        } else if (!backup.isDead()) {
          replica(shard, primary, expected.shard(shard), backup);
        }
      }
    }
  }

  /** A copy is as its primary is. */
  private void sameReplica(int shard, int primary, SimServer backup) {
    ServerCore core = servers.get(primary).core();
    try {
      requireEqual(
          Memory.shardUpdates(core, shard),
          backup.core().nn().replicaVersion(primary, shard).counter(),
          Oracle.REPLICAS,
          "updates of NN shard " + shard + " at backup " + backup);
      requireBytes(
          Memory.shard(core, shard),
          backup.core().nn().replica(primary, shard).toArray(ValueLayout.JAVA_BYTE),
          Oracle.REPLICAS,
          () -> "NN shard " + shard + " at backup " + backup,
          Reference::text);
    } catch (RefusedException e) {
      throw new BrokenInvariant(Oracle.REPLICAS, e);
    }
  }

  private void replica(int shard, int primary, Past past, SimServer backup) {
    long updates;
    byte[] bytes;
    try {
      updates = backup.core().nn().replicaVersion(primary, shard).counter();
      bytes = backup.core().nn().replica(primary, shard).toArray(ValueLayout.JAVA_BYTE);
    } catch (RefusedException e) {
      throw new BrokenInvariant(Oracle.REPLICAS, e);
    }
    String what = "NN shard " + shard + " at backup " + backup;
    if (servers.get(primary).isDead()) {
      require(
          updates >= past.acknowledged(),
          Oracle.DURABILITY,
          () -> what + " has " + updates + " updates, acknowledged were " + past.acknowledged());
      require(
          updates <= past.updates().size(),
          Oracle.REPLICAS,
          () -> what + " has " + updates + " updates, there were " + past.updates().size());
    } else {
      requireEqual((long) past.updates().size(), updates, Oracle.REPLICAS, "updates of " + what);
    }
    requireBytes(
        past.states().get((int) updates),
        bytes,
        Oracle.REPLICAS,
        () -> what + " after " + updates + " updates",
        Reference::text);
  }

  private void ledgers() {
    for (SimServer origin : servers) {
      if (standing && origin.isDead()) {
        continue; // Looked at with the data that was trained.
      }
      for (int copy = 0; copy < r; copy++) {
        SimServer backup = servers.get(Backups.backup(origin.index(), copy, servers.size()));
        if (backup.isDead()) {
          continue;
        }
        List<RangeRecord> ledger = backup.core().holder().ledger(origin.index());
        if (!origin.isDead()) {
          requireEqual(
              origin.core().ownRanges(),
              ledger,
              Oracle.REPLICAS,
              "the ledger of " + origin + " at " + backup);
        } else {
          for (Made made : expected.order(origin.index())) {
            require(
                !cluster.history.isAcknowledged(made.tx())
                    || expected.recorder(made.tx()) != origin.index()
                    || ledger.stream().anyMatch(each -> covers(each.range(), made.range())),
                Oracle.DURABILITY,
                () -> "data of " + made.tx() + " is not in the ledger at " + backup);
          }
        }
      }
    }
  }

  private static boolean covers(DataRange whole, DataRange part) {
    return whole.pass() == part.pass()
        && whole.file() == part.file()
        && whole.from() <= part.from()
        && whole.to() >= part.to();
  }

  // Memory.

  /**
   * Records and tails do not grow with the job, but with how far workers are ahead of what they
   * have told to be applied everywhere.
   */
  private void bounds() {
    int rowsOfTransaction = job.batch() * job.model().tables().size();
    long open =
        cluster.workers().stream()
            .mapToLong(worker -> cluster.history.longestSpan(worker.incarnation))
            .sum();
    for (SimServer server : servers) {
      if (server.isDead()) {
        continue;
      }
      for (SimWorker worker : cluster.workers()) {
        NodeId node = worker.self();
        int records =
            node == null
                ? 0
                : server.core().holder().records().decided(node, worker.incarnation).size();
        require(
            records <= cluster.history.longestSpan(worker.incarnation),
            Oracle.LEFTOVERS,
            () -> server + " remembers " + records + " transactions of " + worker);
      }
      for (int origin = 0; origin < servers.size(); origin++) {
        int[] deltas = {0};
        server.core().holder().tail(origin, (row, counter, difference) -> deltas[0]++);
        int of = origin;
        require(
            deltas[0] <= open * rowsOfTransaction,
            Oracle.LEFTOVERS,
            () -> server + " keeps " + deltas[0] + " differences of server-" + of);
      }
    }
  }
}
