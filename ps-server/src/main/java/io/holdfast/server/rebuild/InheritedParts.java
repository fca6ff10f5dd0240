package io.holdfast.server.rebuild;

import io.holdfast.config.placement.NodeId;
import io.holdfast.config.protocol.DataMessage;
import io.holdfast.config.protocol.Payload;
import io.holdfast.config.protocol.PeerMessage;
import io.holdfast.config.protocol.TxId;
import io.holdfast.server.storage.RefusedException;
import io.holdfast.server.transaction.TransactionTable;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Parts of transactions that were staged at a lost server's stand-ins when a new server took its
 * place. A live worker stages again; these are for workers that die: what is decided is applied
 * from here (hazard 6).
 */
final class InheritedParts {
  private record Incarnation(NodeId worker, long incarnation) {}

  private final Map<Incarnation, TreeMap<Long, List<PeerMessage.CopiedStage>>> workers =
      new HashMap<>();

  /** Keeps a part; it is copied. */
  void add(PeerMessage.CopiedStage part) {
    TxId tx = part.header().tx();
    workers
        .computeIfAbsent(new Incarnation(tx.worker(), tx.incarnation()), key -> new TreeMap<>())
        .computeIfAbsent(tx.sequence(), key -> new ArrayList<>())
        .add(
            new PeerMessage.CopiedStage(
                part.position(),
                part.header(),
                part.participants(),
                part.shard(),
                copy(part.rows()),
                copy(part.gradients())));
  }

  private static Payload copy(Payload payload) {
    MemorySegment bytes = MemorySegment.ofArray(new byte[(int) payload.lengthBytes()]);
    payload.writeTo(bytes, 0);
    return Payload.of(bytes);
  }

  /** Transactions of a worker of which there is something. */
  List<Long> of(NodeId worker, long incarnation) {
    TreeMap<Long, List<PeerMessage.CopiedStage>> its =
        workers.get(new Incarnation(worker, incarnation));
    return its == null ? List.of() : List.copyOf(its.keySet());
  }

  /**
   * A dead worker's transactions are settled: applies those that are to be committed and that it
   * did not stage here itself, and forgets the rest.
   */
  void resolve(NodeId worker, long incarnation, List<Long> committed, TransactionTable table) {
    TreeMap<Long, List<PeerMessage.CopiedStage>> its =
        workers.remove(new Incarnation(worker, incarnation));
    if (its == null) {
      return;
    }
    its.forEach(
        (sequence, parts) -> {
          TxId tx = new TxId(worker, incarnation, sequence);
          if (committed.contains(sequence) && table.lacks(tx)) {
            apply(parts, table);
          }
        });
  }

  private static void apply(List<PeerMessage.CopiedStage> parts, TransactionTable table) {
    List<DataMessage.Stage> stages = new ArrayList<>();
    for (PeerMessage.CopiedStage part : parts) {
      stages.add(
          part.shard() < 0
              ? new DataMessage.StageRows(
                  part.header(), part.participants(), part.rows(), part.gradients())
              : new DataMessage.StageShard(
                  part.header(), part.participants(), part.shard(), part.gradients()));
    }
    try {
      table.applyInherited(stages);
    } catch (RefusedException e) {
      throw new IllegalStateException(
          parts.getFirst().header().tx() + " was staged at stand-ins and is refused here", e);
    }
  }
}
