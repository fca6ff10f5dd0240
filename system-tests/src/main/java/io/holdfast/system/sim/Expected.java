package io.holdfast.system.sim;

import static io.holdfast.system.sim.BrokenInvariant.require;

import io.holdfast.config.job.JobSpec;
import io.holdfast.config.job.StandIns;
import io.holdfast.config.placement.NnShards;
import io.holdfast.config.placement.StripeMap;
import io.holdfast.config.protocol.Participants;
import io.holdfast.config.protocol.TxId;
import io.holdfast.worker.SteppedWorker.Made;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * What rows and NN shards must be after each of their updates, in the order in which their owner
 * was seen to apply them. One thread at a time.
 */
final class Expected {
  /**
   * A row's or an NN shard's past.
   *
   * @param updates transactions in their order
   * @param states {@code [weights | state]} before the first one and after each
   * @param acknowledged how many of the updates must be redundant, because the last of them was
   *     acknowledged to its worker
   */
  record Past(List<Made> updates, List<byte[]> states, int acknowledged) {
    byte[] now() {
      return states.getLast();
    }
  }

  private final History history;
  private final StripeMap map;
  private final NnShards shards;
  private final Reference reference;
  private final Map<Long, Past> rows = new HashMap<>();
  private final Map<Integer, Past> nn = new HashMap<>();
  private final int servers;

  /** Nobody is lost unless the coordinator was told. */
  private final StandIns standIns;

  Expected(SimCluster cluster) {
    JobSpec job = cluster.scenario().job();
    history = cluster.history;
    map = cluster.stripes;
    shards = cluster.shards;
    servers = job.servers();
    standIns = cluster.scenario().faults().told() ? cluster.standIns() : StandIns.none(job);
    reference = new Reference(job, cluster.model());
  }

  Reference reference() {
    return reference;
  }

  /** Transactions that a server applied, in its order. */
  List<Made> order(int server) {
    return history.applied(server).stream().map(history::of).toList();
  }

  Past row(long row) {
    return rows.computeIfAbsent(
        row,
        id -> {
          int owner = map.serverOfRow(id);
          List<Made> updates =
              new ArrayList<>(
                  order(owner).stream().filter(made -> made.rows().contains(id)).toList());
          if (standIns.isLost(owner)) {
            int inherited = history.inheritedRow(id) - reference.initialCounter();
            inherit(updates, inherited, owner, standIns.ofRow(id));
            updates.removeIf(made -> !made.rows().contains(id));
          }
          return new Past(updates, reference.row(id, updates), acknowledged(updates));
        });
  }

  /**
   * What a lost owner had spread, and then what the stand-in applied in its place; what the
   * stand-in applied unseen comes last, in some order.
   */
  private void inherit(List<Made> updates, int inherited, int lost, int host) {
    require(
        inherited >= 0 && inherited <= updates.size(),
        Oracle.DECISIONS,
        () -> "server-" + host + " begins with " + inherited + " updates of " + updates.size());
    updates.subList(inherited, updates.size()).clear();
    List<TxId> more = new ArrayList<>(history.standInApplied(lost, host));
    if (history.isUnordered(lost, host)) {
      history.committed().forEach(made -> more.add(made.tx()));
    }
    for (TxId tx : more) {
      Made made = history.of(tx);
      if (!updates.contains(made)) {
        updates.add(made);
      }
    }
  }

  /** Whether the order in which a row was updated was seen. */
  boolean isOrdered(long row) {
    int owner = map.serverOfRow(row);
    return !standIns.isLost(owner) || !history.isUnordered(owner, standIns.ofRow(row));
  }

  /** The row's counter now. */
  int counter(long row) {
    return reference.initialCounter() + row(row).updates().size();
  }

  Past shard(int shard) {
    return nn.computeIfAbsent(
        shard,
        id -> {
          int primary = shards.primary(id);
          List<Made> updates = new ArrayList<>(order(primary));
          if (standIns.isLost(primary)) {
            inherit(updates, (int) history.inheritedShard(id), primary, standIns.deputy(primary));
          }
          return new Past(updates, reference.shard(id, updates), acknowledged(updates));
        });
  }

  private int acknowledged(List<Made> updates) {
    for (int i = updates.size(); i > 0; i--) {
      if (history.isAcknowledged(updates.get(i - 1).tx())) {
        return i;
      }
    }
    return 0;
  }

  /** Whether a server owns something that a transaction touches. */
  boolean takesPart(Made made, int server) {
    return server < shards.count()
        || made.rows().stream().anyMatch(row -> map.serverOfRow(row) == server);
  }

  /** The server that records what a transaction learned from. */
  int recorder(TxId tx) {
    Made made = history.of(tx);
    int[] all = IntStream.range(0, servers).filter(s -> takesPart(made, s)).toArray();
    return Participants.of(all).recorder(tx);
  }
}
