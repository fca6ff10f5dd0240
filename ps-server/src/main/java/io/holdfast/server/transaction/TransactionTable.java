package io.holdfast.server.transaction;

import io.holdfast.config.control.ServerControl.RangeRecord;
import io.holdfast.config.job.CommitMode;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.protocol.DataMessage;
import io.holdfast.config.protocol.DataRange;
import io.holdfast.config.protocol.Participants;
import io.holdfast.config.protocol.RefusalReason;
import io.holdfast.config.protocol.TxHeader;
import io.holdfast.config.protocol.TxId;
import io.holdfast.server.storage.NnStore;
import io.holdfast.server.storage.RefusedException;
import io.holdfast.server.storage.RowStore;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.LongPredicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * This server's side of two-phase commit. States and their meaning: {@link TransactionState}. How
 * each message is answered:
 *
 * <ul>
 *   <li><b>Anything of a fenced incarnation</b>: ABORTED, whatever became of the transaction: that
 *       is the promise that termination rests on (hazard 5).
 *   <li><b>Stage</b> of a transaction that is applied here (remembered, or below the watermark):
 *       APPLIED, the strongest true statement; it can only be a late copy, and a worker that knows
 *       already ignores it. Nothing is kept of it (hazard 4). While APPLYING: STAGED, for the
 *       decision is known but redundancy is not yet complete. Else the part is kept, unless it is
 *       here already, and the answer is STAGED once all parts are here, and none before.
 *   <li><b>Commit</b> of a STAGED transaction applies it. Of one that is applied, or below the
 *       watermark: APPLIED. Of one that is STAGING or was never heard of: UNKNOWN_TRANSACTION; the
 *       parts that are here stay.
 *   <li><b>A watermark</b> forgets what it covers. It only rises. One that reaches the transaction
 *       that brings it, or one that is not applied here, contradicts itself: MALFORMED.
 * </ul>
 *
 * <p><b>Memory.</b> Each worker has an equal share of the job's {@code stagedBytesMax}; a part
 * beyond it is BUSY. So that waiting always ends, a worker's transactions get memory in their order
 * once one was refused, and a worker stages at a server only once its older ones are staged there:
 * whatever holds the memory is older, or complete everywhere that it needs to be, and so will be
 * decided and freed. Workers do not wait for one another. A transaction that cannot fit even alone
 * is MALFORMED. One that is BUSY loses its parts that are here, so that it blocks neither itself
 * nor an older one.
 *
 * <p>Parts are checked when they are staged, so that applying cannot fail half-way. An exception
 * from {@link #commit} or {@link #resolve} that is not a {@link RefusedException} means that values
 * may be wrong: the server must stop.
 */
public final class TransactionTable implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(TransactionTable.class);

  /** More Stage messages than this for one server and transaction is nonsense. */
  private static final int MAX_PARTS = 1 << 16;

  /** More waiting transactions than this need not be remembered. */
  private static final int MAX_REFUSED = 1 << 10;

  /**
   * What is true of a Stage message's transaction now.
   *
   * <p>NOTHING_YET is not told to the worker.
   */
  public enum StageAnswer {
    NOTHING_YET,
    STAGED,
    APPLIED
  }

  /** What a server knows of a dead worker's transactions, in increasing order. */
  public record Knowledge(long watermark, List<Long> decided, List<Long> undecided) {
    /** Both together; what either has decided is decided. */
    public Knowledge with(Knowledge other) {
      TreeSet<Long> all = new TreeSet<>(decided);
      all.addAll(other.decided);
      TreeSet<Long> open = new TreeSet<>(undecided);
      open.addAll(other.undecided);
      open.removeAll(all);
      return new Knowledge(
          Math.max(watermark, other.watermark), List.copyOf(all), List.copyOf(open));
    }
  }

  private record Incarnation(NodeId worker, long incarnation) {}

  private final int self;
  private final int servers;
  private final RowStore rows;
  private final NnStore nn;
  private final Applier applier;
  private final CommitMode mode;
  private final long workerShareBytes;
  private final Map<Incarnation, WorkerRecord> workers = new HashMap<>();
  private final RangeLedger ranges = new RangeLedger();
  private long stagedBytes;
  private long stagedBytesPeak;
  private long applied;

  /**
   * An empty table.
   *
   * @param self this server's index
   * @param servers number of servers
   * @param rows to check parts against
   * @param nn to check parts against
   * @param applier makes the changes
   * @param workerShareBytes memory for one worker's staged parts
   */
  public TransactionTable(
      int self,
      int servers,
      RowStore rows,
      NnStore nn,
      Applier applier,
      CommitMode mode,
      long workerShareBytes) {
    this.self = self;
    this.servers = servers;
    this.rows = rows;
    this.nn = nn;
    this.applier = applier;
    this.mode = mode;
    this.workerShareBytes = workerShareBytes;
  }

  /** Keeps one part of a transaction. */
  public StageAnswer stage(DataMessage.Stage message) throws RefusedException {
    TxHeader header = message.header();
    long sequence = header.tx().sequence();
    WorkerRecord worker = unfenced(header.tx());
    if (sequence <= worker.watermark || worker.applied.contains(sequence)) {
      return StageAnswer.APPLIED;
    }
    Transaction transaction = worker.open.get(sequence);
    if (transaction != null && transaction.state() == TransactionState.APPLYING) {
      return StageAnswer.STAGED;
    }
    check(header, message.participants());
    if (transaction != null && !transaction.agreesWith(message)) {
      throw new RefusedException(
          RefusalReason.MALFORMED, header + " contradicts " + transaction.header());
    }
    raiseWatermark(worker, header.tx(), header.watermark());
    if (transaction == null) {
      transaction = new Transaction(header, message.participants());
    }
    if (!transaction.has(header.part())) {
      if (!worker.open.containsKey(sequence) && applier.isPressed()) {
        throw new RefusedException(
            RefusalReason.BUSY, header.tx() + ": too much waits to become redundant");
      }
      check(message);
      MemorySegment block = take(worker, transaction, message);
      transaction.add(header.part(), StagedPart.copy(message, block));
      worker.open.put(sequence, transaction);
      if (transaction.state() == TransactionState.STAGED) {
        worker.refused.remove(sequence);
      }
    }
    return transaction.state() == TransactionState.STAGING
        ? StageAnswer.NOTHING_YET
        : StageAnswer.STAGED;
  }

  private void check(TxHeader header, Participants participants) throws RefusedException {
    if (header.parts() > MAX_PARTS || header.part() < 0 || header.part() >= header.parts()) {
      throw new RefusedException(
          RefusalReason.MALFORMED,
          header.tx() + ": part " + header.part() + " of " + header.parts());
    }
    DataRange range = header.range();
    if (range.from() > range.to() || range.samples() < 0 || range.skipped() < 0) {
      throw new RefusedException(RefusalReason.MALFORMED, header.tx() + ": " + range);
    }
    boolean found = false;
    for (int i = 0; i < participants.count(); i++) {
      int server = participants.get(i);
      if (server < (i == 0 ? 0 : participants.get(i - 1) + 1) || server >= servers) {
        throw new RefusedException(
            RefusalReason.MALFORMED,
            header.tx() + ": participants " + participants + " of " + servers + " servers");
      }
      found |= server == self;
    }
    if (!found) {
      throw new RefusedException(
          RefusalReason.NOT_OWNER,
          header.tx() + ": participants " + participants + " without server " + self);
    }
  }

  /** What passes can be applied. */
  private void check(DataMessage.Stage message) throws RefusedException {
    long gradientBytes;
    switch (message) {
      case DataMessage.StageRows m -> {
        gradientBytes = (long) m.count() * rows.layout().weightBytes();
        if (m.rows().lengthBytes() % Long.BYTES != 0) {
          throw new RefusedException(
              RefusalReason.MALFORMED, m.rows().lengthBytes() + " bytes of row ids");
        }
        rows.check(m.rows().segment(), m.count());
        checkGradients(m.header().tx(), m.gradients().lengthBytes(), gradientBytes);
      }
      case DataMessage.StageShard m -> {
        gradientBytes = (long) nn.length(m.shard()) * Float.BYTES;
        checkGradients(m.header().tx(), m.gradients().lengthBytes(), gradientBytes);
      }
    }
  }

  private static void checkGradients(TxId tx, long bytes, long expected) throws RefusedException {
    if (bytes != expected) {
      throw new RefusedException(
          RefusalReason.MALFORMED,
          tx + ": " + bytes + " bytes of gradients, " + expected + " would be right");
    }
  }

  private MemorySegment take(
      WorkerRecord worker, Transaction transaction, DataMessage.Stage message)
      throws RefusedException {
    TxId tx = message.header().tx();
    if (worker.area == null) {
      worker.area = new StagingArea("staged parts of " + tx.worker(), workerShareBytes);
    }
    long bytes = StagedPart.lengthBytes(message);
    long ownBytes = StagingArea.blockBytes(bytes);
    for (StagedPart part : transaction.parts()) {
      ownBytes += part.block().byteSize();
    }
    if (ownBytes > worker.area.capacityBytes()) {
      throw new RefusedException(
          RefusalReason.MALFORMED,
          tx
              + " needs "
              + ownBytes
              + " bytes or more of staging memory, a worker's share is "
              + worker.area.capacityBytes()
              + ": raise the limit of staged bytes or lower the batch");
    }
    MemorySegment block = tx.sequence() > worker.refused.first() ? null : worker.area.take(bytes);
    if (block == null) {
      if (worker.refused.size() < MAX_REFUSED) {
        worker.refused.add(tx.sequence());
      }
      // They may lie so that the rest never fits. Nobody was told that they are here.
      release(worker, transaction);
      throw new RefusedException(RefusalReason.BUSY, tx + ": no staging memory now");
    }
    stagedBytes += block.byteSize();
    stagedBytesPeak = Math.max(stagedBytesPeak, stagedBytes);
    return block;
  }

  /**
   * Applies a staged transaction.
   *
   * @return APPLYING: holders must acknowledge, then comes {@link #redundant}; APPLIED: answer so
   */
  public TransactionState commit(TxId tx, long watermark) throws RefusedException {
    WorkerRecord worker = unfenced(tx);
    if (tx.sequence() <= worker.watermark || worker.applied.contains(tx.sequence())) {
      return TransactionState.APPLIED;
    }
    raiseWatermark(worker, tx, watermark);
    Transaction transaction = worker.open.get(tx.sequence());
    if (transaction == null || transaction.state() == TransactionState.STAGING) {
      throw new RefusedException(
          RefusalReason.UNKNOWN_TRANSACTION,
          tx + (transaction == null ? " was never staged here" : " is not wholly staged here"));
    }
    if (transaction.state() == TransactionState.STAGED) {
      apply(worker, transaction);
    }
    return transaction.state();
  }

  /** Whether there are transactions of a worker that wait for their holders. */
  public boolean isApplying(NodeId node, long incarnation) {
    return record(node, incarnation).open.values().stream()
        .anyMatch(each -> each.state() == TransactionState.APPLYING);
  }

  private void apply(WorkerRecord worker, Transaction transaction) {
    change(worker, transaction);
    release(worker, transaction);
    applied(transaction);
  }

  /** The one place where training changes values: one single-writer step. */
  private void change(WorkerRecord worker, Transaction transaction) {
    TxHeader header = transaction.header();
    transaction.to(TransactionState.COMMITTED);
    applier.begin(header, worker.watermark);
    for (StagedPart part : transaction.parts()) {
      try {
        switch (part) {
          case StagedPart.Rows p -> applier.rows(p.ids(), p.count(), p.gradients());
          case StagedPart.Shard p -> applier.shard(p.shard(), p.gradients());
        }
      } catch (RefusedException e) {
        throw new IllegalStateException(header.tx() + " was checked and yet is refused", e);
      }
    }
    if (transaction.participants().recorder(header.tx()) == self) {
      if (applier.records(header.tx())) {
        ranges.add(header.range());
        worker.recorded.add(header.tx().sequence());
        applier.record(header.range());
      }
    }
  }

  private void applied(Transaction transaction) {
    transaction.to(TransactionState.APPLYING);
    applied++;
    if (!applier.end()) {
      redundant(transaction.header().tx());
    }
  }

  private void release(WorkerRecord worker, Transaction transaction) {
    for (StagedPart part : transaction.parts()) {
      stagedBytes -= part.block().byteSize();
      worker.area.release(part.block());
    }
    transaction.forgetParts();
  }

  /** All redundant holders of an APPLYING transaction have acknowledged it. */
  public void redundant(TxId tx) {
    WorkerRecord worker = record(tx.worker(), tx.incarnation());
    Transaction transaction = worker.open.get(tx.sequence());
    if (transaction == null) {
      throw new IllegalStateException(tx + " is not being applied");
    }
    transaction.to(TransactionState.APPLIED);
    worker.open.remove(tx.sequence());
    worker.applied.add(tx.sequence());
  }

  private WorkerRecord unfenced(TxId tx) throws RefusedException {
    if (tx.sequence() < 1) {
      throw new RefusedException(RefusalReason.MALFORMED, tx + ": sequences start at 1");
    }
    WorkerRecord worker = record(tx.worker(), tx.incarnation());
    if (worker.fenced) {
      throw new RefusedException(RefusalReason.ABORTED, tx + ": its worker is fenced");
    }
    return worker;
  }

  private WorkerRecord record(NodeId worker, long incarnation) {
    return workers.computeIfAbsent(new Incarnation(worker, incarnation), key -> new WorkerRecord());
  }

  private static void raiseWatermark(WorkerRecord worker, TxId tx, long watermark)
      throws RefusedException {
    if (watermark <= worker.watermark) {
      return; // A late message; watermarks only rise.
    }
    if (watermark >= tx.sequence()
        || (!worker.open.isEmpty() && worker.open.firstKey() <= watermark)) {
      throw new RefusedException(
          RefusalReason.MALFORMED,
          tx
              + ": watermark "
              + watermark
              + " although "
              + (watermark >= tx.sequence() ? "this" : worker.open.firstKey())
              + " is not applied everywhere");
    }
    worker.watermark = watermark;
    worker.applied.removeUpTo(watermark);
    worker.recorded.removeUpTo(watermark);
    worker.refused.removeUpTo(watermark);
  }

  /**
   * Fences a dead worker for ever and tells what is known of its transactions. What is answered as
   * undecided stays undecided here until {@link #resolve}: that is a promise.
   */
  public Knowledge fence(NodeId node, long incarnation) {
    WorkerRecord worker = record(node, incarnation);
    worker.fenced = true;
    if (mode == CommitMode.ONE_PHASE) {
      // Some servers may have applied what others never got. What counts is what the recorder has:
      // else the sum of transactions would not be that of their data.
      List<Long> others = new ArrayList<>(worker.open.keySet());
      others.removeAll(worker.recorded.toList());
      return new Knowledge(worker.watermark, worker.recorded.toList(), others);
    }
    List<Long> decided = new ArrayList<>(worker.applied.toList());
    List<Long> undecided = new ArrayList<>();
    worker.open.forEach(
        (sequence, transaction) ->
            (transaction.state() == TransactionState.APPLYING ? decided : undecided).add(sequence));
    decided.sort(null);
    return new Knowledge(worker.watermark, decided, undecided);
  }

  /**
   * Ends a dead worker's transactions: applies those that are listed and staged, in increasing
   * order, and drops all others. Listed ones that have no part here, or are applied, need nothing.
   * Records of applied ones stay, for another coordinator may ask again.
   *
   * @throws IllegalStateException if a listed one is not wholly here: its worker cannot have
   *     decided, so something is badly wrong
   */
  public void resolve(NodeId node, long incarnation, List<Long> committed) {
    WorkerRecord worker = record(node, incarnation);
    worker.fenced = true;
    for (Map.Entry<Long, Transaction> entry : worker.open.entrySet()) {
      if (entry.getValue().state() == TransactionState.STAGING
          && committed.contains(entry.getKey())
          && mode == CommitMode.TWO_PHASE
          && !applier.isStandIn()) {
        throw new IllegalStateException(
            entry.getValue().header().tx()
                + " is to be committed, but some of its parts never came here");
      }
    }
    for (Map.Entry<Long, Transaction> entry : new TreeMap<>(worker.open).entrySet()) {
      Transaction transaction = entry.getValue();
      if (transaction.state() == TransactionState.STAGED && committed.contains(entry.getKey())) {
        apply(worker, transaction);
      }
      if (transaction.state() == TransactionState.STAGED
          || transaction.state() == TransactionState.STAGING) {
        transaction.to(TransactionState.DROPPED);
        release(worker, transaction);
        worker.open.remove(entry.getKey());
        if (committed.contains(entry.getKey())) {
          LOG.error(
              "{} is decided, but only a part of what a lost server owes came here before its"
                  + " worker died, too: that part is lost",
              transaction.header().tx());
        } else {
          LOG.info("{} is dropped: its worker is dead", transaction.header().tx());
        }
      }
    }
    if (worker.area != null) {
      worker.area.close();
      worker.area = null;
    }
  }

  /**
   * Whether all rows of a staged transaction, as far as it is here, pass a test; true if nothing of
   * it is here.
   */
  public boolean stagedRows(TxId tx, LongPredicate test) {
    Transaction transaction = record(tx.worker(), tx.incarnation()).open.get(tx.sequence());
    if (transaction == null) {
      return true;
    }
    for (StagedPart part : transaction.parts()) {
      if (part instanceof StagedPart.Rows rows) {
        for (int i = 0; i < rows.count(); i++) {
          if (!test.test(rows.ids().get(ValueLayout.JAVA_LONG_UNALIGNED, 8L * i))) {
            return false;
          }
        }
      }
    }
    return true;
  }

  /** Sees parts that are staged. */
  public interface StagedVisitor {
    void rows(
        TxHeader header, Participants participants, MemorySegment ids, MemorySegment gradients);

    void shard(TxHeader header, Participants participants, int shard, MemorySegment gradients);
  }

  /** All parts of transactions that are wholly staged here and not applied. */
  public void visitStaged(StagedVisitor visitor) {
    List<Transaction> staged = new ArrayList<>();
    for (WorkerRecord worker : workers.values()) {
      for (Transaction transaction : worker.open.values()) {
        if (transaction.state() == TransactionState.STAGED) {
          staged.add(transaction);
        }
      }
    }
    staged.sort(Comparator.comparing(each -> each.header().tx()));
    for (Transaction transaction : staged) {
      TxHeader header = transaction.header();
      for (StagedPart part : transaction.parts()) {
        switch (part) {
          case StagedPart.Rows p ->
              visitor.rows(header, transaction.participants(), p.ids(), p.gradients());
          case StagedPart.Shard p ->
              visitor.shard(header, transaction.participants(), p.shard(), p.gradients());
        }
      }
    }
  }

  /** Whether a transaction is neither applied nor wholly staged here. */
  public boolean lacks(TxId tx) {
    WorkerRecord worker = record(tx.worker(), tx.incarnation());
    Transaction transaction = worker.open.get(tx.sequence());
    return tx.sequence() > worker.watermark
        && !worker.applied.contains(tx.sequence())
        && (transaction == null || transaction.state() == TransactionState.STAGING);
  }

  /**
   * Applies a dead worker's transaction from parts that were staged elsewhere, in place of what the
   * worker itself had begun to stage here.
   *
   * @param parts whose headers are of one transaction; numbers of parts mean nothing
   * @throws RefusedException if one cannot be applied; nothing is changed
   */
  public void applyInherited(List<DataMessage.Stage> parts) throws RefusedException {
    TxHeader header = parts.getFirst().header();
    WorkerRecord worker = record(header.tx().worker(), header.tx().incarnation());
    Transaction begun = worker.open.remove(header.tx().sequence());
    if (begun != null) {
      begun.to(TransactionState.DROPPED);
      release(worker, begun);
    }
    TxHeader whole =
        new TxHeader(
            header.tx(),
            header.watermark(),
            header.learningRate(),
            header.owner(),
            header.range(),
            0,
            parts.size());
    check(whole, parts.getFirst().participants());
    for (DataMessage.Stage part : parts) {
      check(part);
    }
    Transaction transaction = new Transaction(whole, parts.getFirst().participants());
    Arena arena = Arena.ofAuto();
    for (int i = 0; i < parts.size(); i++) {
      long length = Math.max(1, StagedPart.lengthBytes(parts.get(i)));
      transaction.add(
          i, StagedPart.copy(parts.get(i), arena.allocate(length, StagedPart.ALIGNMENT_BYTES)));
    }
    worker.open.put(header.tx().sequence(), transaction);
    change(worker, transaction);
    transaction.forgetParts();
    applied(transaction);
  }

  /** Takes over a record of committed data from a lost server's ledger. */
  public void adoptRange(RangeRecord record) {
    ranges.add(record);
  }

  /** Committed data that this server records. */
  public List<RangeRecord> ranges() {
    return ranges.records();
  }

  /** Memory of staged parts now. */
  public long stagedBytes() {
    return stagedBytes;
  }

  /** Most memory that staged parts ever took. */
  public long stagedBytesPeak() {
    return stagedBytesPeak;
  }

  /** Transactions applied here. */
  public long applied() {
    return applied;
  }

  @Override
  public void close() {
    for (WorkerRecord worker : workers.values()) {
      if (worker.area != null) {
        worker.area.close();
        worker.area = null;
      }
    }
  }
}
