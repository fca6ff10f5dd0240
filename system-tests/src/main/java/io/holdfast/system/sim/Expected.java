package io.holdfast.system.sim;

import io.holdfast.config.job.JobSpec;
import io.holdfast.config.placement.NnShards;
import io.holdfast.config.placement.StripeMap;
import io.holdfast.config.protocol.Participants;
import io.holdfast.config.protocol.TxId;
import io.holdfast.worker.SteppedWorker.Made;
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

  Expected(SimCluster cluster) {
    JobSpec job = cluster.scenario().job();
    history = cluster.history;
    map = cluster.stripes;
    shards = cluster.shards;
    servers = job.servers();
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
          List<Made> updates =
              order(map.serverOfRow(id)).stream().filter(made -> made.rows().contains(id)).toList();
          return new Past(updates, reference.row(id, updates), acknowledged(updates));
        });
  }

  /** The row's counter now. */
  int counter(long row) {
    return reference.initialCounter() + row(row).updates().size();
  }

  Past shard(int shard) {
    return nn.computeIfAbsent(
        shard,
        id -> {
          List<Made> updates = order(shards.primary(id));
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
