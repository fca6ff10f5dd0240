package io.holdfast.server.redundancy;

import io.holdfast.config.placement.NodeId;
import io.holdfast.config.protocol.TxId;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.agrona.collections.LongHashSet;

/**
 * Which (transaction, row) and (transaction, NN shard) of other servers are folded here. The
 * logical key of exactly-once is that pair, not the transaction (hazard 3): a transaction that a
 * dead server had applied may have reached some of its holders only, and is then applied again row
 * by row. The records say which rows to skip, and that the transaction is decided (hazards 4 and
 * 5). They are kept until the worker's watermark covers the transaction.
 */
public final class FoldRecords {
  private static final int RECORD_BYTES = 64;

  private record Incarnation(NodeId worker, long incarnation) {}

  private static final class Worker {
    final TreeMap<Long, Folded> transactions = new TreeMap<>();
    long watermark;
  }

  private static final class Folded {
    final List<long[]> rows = new ArrayList<>(2);
    final List<Integer> shards = new ArrayList<>(0);
    boolean ranged;

    /** Of {@link #rows}, made when somebody first asks. */
    LongHashSet index;

    long bytes() {
      return RECORD_BYTES + rows.stream().mapToLong(r -> 8L * r.length).sum();
    }
  }

  /** In the order in which they came, so that the simulator can replay it. */
  private final Map<Incarnation, Worker> workers = new LinkedHashMap<>();

  private long bytes;
  private long bytesPeak;

  /** Sees what is folded of a transaction. */
  public interface Visitor {
    /**
     * One transaction above its worker's watermark.
     *
     * @param rows in no order
     */
    void transaction(
        TxId tx, long watermark, boolean ranged, List<long[]> rows, List<Integer> shards);
  }

  /** All transactions that are noted. */
  public void visit(Visitor visitor) {
    workers.forEach(
        (worker, its) ->
            its.transactions.forEach(
                (sequence, folded) ->
                    visitor.transaction(
                        new TxId(worker.worker(), worker.incarnation(), sequence),
                        its.watermark,
                        folded.ranged,
                        folded.rows,
                        folded.shards)));
  }

  /** Notes rows of a transaction. */
  public void rows(TxId tx, long watermark, MemorySegment ids, int count) {
    Folded folded = folded(tx, watermark);
    if (folded != null) {
      long[] rows = new long[count];
      MemorySegment.copy(ids, ValueLayout.JAVA_LONG_UNALIGNED, 0, rows, 0, count);
      folded.rows.add(rows);
      folded.index = null;
      grow(8L * count);
    }
  }

  /** Notes an NN shard of a transaction. */
  public void shard(TxId tx, long watermark, int shard) {
    Folded folded = folded(tx, watermark);
    if (folded != null) {
      folded.shards.add(shard);
    }
  }

  /** Notes that what a transaction learned from is in the copy of a ledger. */
  public void range(TxId tx, long watermark) {
    Folded folded = folded(tx, watermark);
    if (folded != null) {
      folded.ranged = true;
    }
  }

  private Folded folded(TxId tx, long watermark) {
    Worker worker =
        workers.computeIfAbsent(
            new Incarnation(tx.worker(), tx.incarnation()), key -> new Worker());
    if (watermark > worker.watermark) {
      worker.watermark = watermark;
      Map<Long, Folded> covered = worker.transactions.headMap(watermark, true);
      covered.values().forEach(each -> bytes -= each.bytes());
      covered.clear();
    }
    if (tx.sequence() <= worker.watermark) {
      return null;
    }
    return worker.transactions.computeIfAbsent(
        tx.sequence(),
        key -> {
          grow(RECORD_BYTES);
          return new Folded();
        });
  }

  private void grow(long more) {
    bytes += more;
    bytesPeak = Math.max(bytesPeak, bytes);
  }

  /** Whether a row's difference of a transaction above the watermark is folded here. */
  public boolean contains(TxId tx, long row) {
    Folded folded = find(tx);
    if (folded == null) {
      return false;
    }
    if (folded.index == null) {
      folded.index = new LongHashSet(-1);
      for (long[] rows : folded.rows) {
        for (long each : rows) {
          folded.index.add(each);
        }
      }
    }
    return folded.index.contains(row);
  }

  /** Whether anything of a transaction above the watermark is folded here. */
  public boolean knows(TxId tx) {
    return find(tx) != null;
  }

  /** Whether the record of a transaction above the watermark is in the copy of a ledger here. */
  public boolean containsRange(TxId tx) {
    Folded folded = find(tx);
    return folded != null && folded.ranged;
  }

  /** A worker's transactions above the watermark whose record is in the copy of a ledger here. */
  public List<Long> ranged(NodeId node, long incarnation) {
    Worker worker = workers.get(new Incarnation(node, incarnation));
    return worker == null
        ? List.of()
        : worker.transactions.entrySet().stream()
            .filter(each -> each.getValue().ranged)
            .map(Map.Entry::getKey)
            .toList();
  }

  /** Whether an NN shard's gradient of a transaction above the watermark is folded here. */
  public boolean containsShard(TxId tx, int shard) {
    Folded folded = find(tx);
    return folded != null && folded.shards.contains(shard);
  }

  private Folded find(TxId tx) {
    Worker worker = workers.get(new Incarnation(tx.worker(), tx.incarnation()));
    return worker == null ? null : worker.transactions.get(tx.sequence());
  }

  /**
   * A worker's transactions above the watermark of which something is folded here: decided ones.
   */
  public List<Long> decided(NodeId node, long incarnation) {
    Worker worker = workers.get(new Incarnation(node, incarnation));
    return worker == null ? List.of() : List.copyOf(worker.transactions.keySet());
  }

  /** All of a worker's transactions up to this one are applied everywhere, as told here. */
  public long watermark(NodeId node, long incarnation) {
    Worker worker = workers.get(new Incarnation(node, incarnation));
    return worker == null ? 0 : worker.watermark;
  }

  /**
   * An epoch names a worker's incarnation: what its predecessors left behind is settled everywhere,
   * or the index would not have been given away.
   */
  public void named(NodeId node, long incarnation) {
    workers
        .entrySet()
        .removeIf(
            each -> {
              boolean settled =
                  each.getKey().worker.equals(node) && each.getKey().incarnation != incarnation;
              if (settled) {
                each.getValue().transactions.values().forEach(folded -> bytes -= folded.bytes());
              }
              return settled;
            });
  }

  /** Memory of all records, about. */
  public long bytes() {
    return bytes;
  }

  /** Most memory that records ever took. */
  public long bytesPeak() {
    return bytesPeak;
  }
}
