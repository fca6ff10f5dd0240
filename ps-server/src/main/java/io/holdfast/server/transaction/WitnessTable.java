package io.holdfast.server.transaction;

import io.holdfast.config.placement.Backups;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.protocol.DataMessage;
import io.holdfast.config.protocol.RefusalReason;
import io.holdfast.config.protocol.TxHeader;
import io.holdfast.config.protocol.TxId;
import io.holdfast.server.storage.RefusedException;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;

/**
 * What workers have staged at other servers, kept here as their backup: with {@code commit.witness}
 * a worker decides only when every part is also at the {@code r} backups of its owner. So when the
 * worker and the owner die together between decision and redundancy, the part is not lost (hazard
 * 10). Never applied here; forgotten once the worker's watermark covers it or the worker is
 * resolved.
 */
public final class WitnessTable implements AutoCloseable {
  private record Incarnation(NodeId worker, long incarnation) {}

  private record Key(int owner, long sequence) {}

  private static final class Worker {
    final Map<Key, Transaction> kept = new HashMap<>();

    /** By owner: parts of one that are complete cannot be in the way of another's. */
    final Map<Integer, StagingArea> areas = new HashMap<>();

    long watermark;
    boolean fenced;
  }

  private final int self;
  private final int servers;
  private final int copies;
  private final long shareBytes;
  private final Map<Incarnation, Worker> workers = new HashMap<>();
  private long bytes;
  private long bytesPeak;

  /**
   * An empty table.
   *
   * @param copies how many witnesses each part has; 0: there are none in this job
   * @param shareBytes what a worker may stage at an owner; here it may stage as much for each
   *     server that is witnessed
   */
  public WitnessTable(int self, int servers, int copies, long shareBytes) {
    this.self = self;
    this.servers = servers;
    this.copies = copies;
    this.shareBytes = shareBytes;
  }

  /**
   * Keeps one part.
   *
   * @param message whose header names another server as owner
   * @return whether the owner's whole part is here
   */
  public boolean stage(DataMessage.Stage message) throws RefusedException {
    TxHeader header = message.header();
    TxId tx = header.tx();
    int owner = header.owner();
    if (owner < 0 || owner >= servers || !Backups.isBackup(self, owner, copies, servers)) {
      throw new RefusedException(
          RefusalReason.NOT_OWNER, tx + ": server-" + self + " is no witness of server " + owner);
    }
    Worker worker = worker(tx.worker(), tx.incarnation());
    if (worker.fenced) {
      throw new RefusedException(RefusalReason.ABORTED, tx + ": its worker is fenced");
    }
    raise(worker, header);
    if (tx.sequence() <= worker.watermark) {
      return true;
    }
    Key key = new Key(owner, tx.sequence());
    Transaction kept = worker.kept.get(key);
    if (kept != null && !kept.agreesWith(message)) {
      throw new RefusedException(RefusalReason.MALFORMED, header + " contradicts " + kept.header());
    }
    if (kept == null) {
      kept = new Transaction(header, message.participants());
    }
    if (!kept.has(header.part())) {
      kept.add(header.part(), StagedPart.copy(message, take(worker, kept, key, message)));
      worker.kept.put(key, kept);
    }
    return kept.state() == TransactionState.STAGED;
  }

  private void raise(Worker worker, TxHeader header) {
    long watermark = Math.min(header.watermark(), header.tx().sequence() - 1);
    if (watermark <= worker.watermark) {
      return;
    }
    worker.watermark = watermark;
    Iterator<Map.Entry<Key, Transaction>> all = worker.kept.entrySet().iterator();
    while (all.hasNext()) {
      Map.Entry<Key, Transaction> each = all.next();
      if (each.getKey().sequence() <= watermark) {
        release(worker, each.getKey(), each.getValue());
        all.remove();
      }
    }
  }

  private MemorySegment take(Worker worker, Transaction kept, Key key, DataMessage.Stage message)
      throws RefusedException {
    StagingArea area =
        worker.areas.computeIfAbsent(
            key.owner(),
            owner -> new StagingArea("parts of server " + owner + " as a witness", shareBytes));
    long length = StagedPart.lengthBytes(message);
    long own = StagingArea.blockBytes(length);
    for (StagedPart part : kept.parts()) {
      own += part.block().byteSize();
    }
    if (own > area.capacityBytes()) {
      throw new RefusedException(
          RefusalReason.MALFORMED,
          message.header().tx() + " needs more than a worker's share of " + shareBytes + " bytes");
    }
    MemorySegment block = area.take(length);
    if (block == null) {
      release(worker, key, kept);
      worker.kept.remove(key);
      throw new RefusedException(
          RefusalReason.BUSY, message.header().tx() + ": no memory as a witness now");
    }
    bytes += block.byteSize();
    bytesPeak = Math.max(bytesPeak, bytes);
    return block;
  }

  private void release(Worker worker, Key key, Transaction kept) {
    for (StagedPart part : kept.parts()) {
      bytes -= part.block().byteSize();
      worker.areas.get(key.owner()).release(part.block());
    }
    kept.forgetParts();
  }

  private Worker worker(NodeId node, long incarnation) {
    return workers.computeIfAbsent(new Incarnation(node, incarnation), key -> new Worker());
  }

  /** The worker is dead: nothing more is taken from it. */
  public void fence(NodeId node, long incarnation) {
    worker(node, incarnation).fenced = true;
  }

  /** All of a dead worker's transactions are settled. */
  public void resolve(NodeId node, long incarnation) {
    Worker worker = worker(node, incarnation);
    worker.fenced = true;
    worker.kept.forEach((key, kept) -> release(worker, key, kept));
    worker.kept.clear();
    close(worker);
  }

  /** Whether an owner's whole part of a transaction is kept here. */
  public boolean holds(TxId tx, int owner) {
    Worker worker = workers.get(new Incarnation(tx.worker(), tx.incarnation()));
    Transaction kept = worker == null ? null : worker.kept.get(new Key(owner, tx.sequence()));
    return kept != null && kept.state() == TransactionState.STAGED;
  }

  /** Memory of the parts that are kept. */
  public long bytes() {
    return bytes;
  }

  /** Most memory that parts ever took. */
  public long bytesPeak() {
    return bytesPeak;
  }

  @Override
  public void close() {
    for (Worker worker : workers.values()) {
      close(worker);
    }
  }

  private static void close(Worker worker) {
    worker.areas.values().forEach(StagingArea::close);
    worker.areas.clear();
  }
}
