package io.holdfast.server.standin;

import io.holdfast.config.control.ServerControl.RangeRecord;
import io.holdfast.config.job.JobSpec;
import io.holdfast.config.job.StandIns;
import io.holdfast.config.model.ParameterInit;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.placement.StripeMap;
import io.holdfast.config.protocol.DataMessage;
import io.holdfast.config.protocol.Outbox;
import io.holdfast.config.protocol.PeerMessage;
import io.holdfast.config.protocol.RefusalReason;
import io.holdfast.config.protocol.TxId;
import io.holdfast.erasure.ErasureCode;
import io.holdfast.server.redundancy.Holder;
import io.holdfast.server.storage.GatheredRows;
import io.holdfast.server.storage.MemorySettings;
import io.holdfast.server.storage.NnStore;
import io.holdfast.server.storage.ParityStore;
import io.holdfast.server.storage.RefusedException;
import io.holdfast.server.storage.RowExport;
import io.holdfast.server.storage.RowStore;
import io.holdfast.server.transaction.TransactionState;
import io.holdfast.server.transaction.TransactionTable;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;

/**
 * Acts for a lost server: for its rows whose stripes have their first live parity here and, at its
 * deputy, for its NN shards and its record of committed data.
 *
 * <p>A row is <em>promoted</em> when it is decoded; from then on it is read and written here. Rows
 * are promoted when somebody wants them, and all others by and by. Whether a row is promoted needs
 * no note: it is if its update counter is the one that the parity knows, since every update of a
 * promoted row is folded in the step that makes it.
 *
 * <p>Pulls, and the answer to a complete Stage, wait until all their rows are promoted; so a commit
 * never waits.
 */
public final class StandIn implements AutoCloseable {
  /** Rows that are decoded at a time, at most. */
  private static final int BATCH_ROWS = 256;

  private static final int MESSAGE_OVERHEAD_BYTES = 256;

  /** Parities that the sweep looks at in one tick. */
  private static final int SWEEP_LOOK_AHEAD = 1 << 14;

  /** More pulls than this do not wait. */
  private static final int WAITING_PULLS_MAX = 1 << 12;

  private static final ValueLayout.OfLong ID = ValueLayout.JAVA_LONG_UNALIGNED;

  private record Question(NodeId asker, long request) {}

  private record Incarnation(NodeId worker, long incarnation) {}

  /** Hears of what had to wait. */
  public interface Listener {
    /** A transaction's part is staged and all its rows are promoted. */
    void staged(TxId tx, NodeId lost);

    /** What a dead worker left here is settled. */
    void resolved(NodeId worker, long incarnation);
  }

  private final NodeId self;
  private final NodeId lost;
  private final StripeMap map;
  private final RowStore rows;
  private final ParityStore parities;
  private final StandInApplier applier;
  private final TransactionTable transactions;
  private final DegradedReads reads;
  private final ErasureCode code;
  private final Outbox outbox;
  private final Listener listener;
  private final int messageBytesMax;
  private final Map<Question, long[]> waitingPulls = new LinkedHashMap<>();
  private final Set<TxId> waitingStages = new LinkedHashSet<>();

  /** Decided transactions of dead workers whose rows are not all promoted. */
  private final Map<Incarnation, List<Long>> resolving = new LinkedHashMap<>();

  private final boolean deputy;
  private StandIns standIns;
  private boolean frozen;
  private long sweptPlaces;
  private long promotedRows;

  /**
   * Begins to act; no row is promoted.
   *
   * @param deputy whether NN shards and the record of committed data are this server's now
   * @param requests gives numbers for questions, unique within this server's incarnation
   * @throws IllegalStateException if the host does not give the memory
   */
  public StandIn(
      NodeId self,
      NodeId lost,
      boolean deputy,
      JobSpec job,
      StandIns standIns,
      ErasureCode code,
      ParityStore parities,
      NnStore nn,
      Holder holder,
      Outbox outbox,
      LongSupplier requests,
      Listener listener) {
    this.self = self;
    this.lost = lost;
    this.deputy = deputy;
    this.map = job.stripeMap();
    this.standIns = standIns;
    this.code = code;
    this.parities = parities;
    this.outbox = outbox;
    this.listener = listener;
    this.messageBytesMax = job.messageBytesMax();
    rows =
        new RowStore(
            job.model(),
            job.optimizer(),
            map,
            lost.index(),
            new ParameterInit(job.seed()),
            MemorySettings.DEFAULT);
    applier = new StandInApplier(lost, deputy, rows, nn, parities, code, holder.records());
    transactions =
        new TransactionTable(
            lost.index(),
            job.servers(),
            rows,
            nn,
            applier,
            job.commit(),
            job.stagedBytesMax() / job.workers());
    if (deputy) {
      holder.ledger(lost.index()).forEach(transactions::adoptRange);
    }
    int ofRow = Long.BYTES + Integer.BYTES + rows.layout().rowBytes();
    int inMessage = (job.messageBytesMax() - MESSAGE_OVERHEAD_BYTES) / ofRow;
    reads =
        new DegradedReads(
            self,
            map,
            code,
            parities,
            Math.clamp(inMessage, 1, BATCH_ROWS),
            outbox,
            job.retryNanos(),
            requests,
            new Promotion());
  }

  public NodeId lost() {
    return lost;
  }

  /** Promoted rows that were ever updated, and initial ones that were written to here. */
  public RowStore rows() {
    return rows;
  }

  /** Parts of transactions that the lost server owes. */
  public TransactionTable transactions() {
    return transactions;
  }

  /** Rows decoded so far. */
  public long promotedRows() {
    return promotedRows;
  }

  /** A newer map: who asked will ask again. */
  public void onEpoch(StandIns newer) {
    standIns = newer;
    waitingPulls.clear();
  }

  // A new server takes the lost one's place.

  /** Whether NN shards and the record of committed data are this server's now. */
  public boolean isDeputy() {
    return deputy;
  }

  /** Sees decoded rows that have changed. */
  public interface Follower {
    /** Rows of a store of lost rows, the first {@code count} of the ids. */
    void changed(RowStore rows, long[] ids, int count);
  }

  /** Whoever takes the lost server's place has the rows below this one: their changes follow. */
  public void follow(long rowsBelow, Follower follower) {
    applier.follow(rowsBelow, follower);
  }

  /** Nobody follows any more; if this had stopped for somebody, it goes on. */
  public void unfollow() {
    applier.follow(0, null);
    frozen = false;
  }

  /** Stops: the owner changes. What comes from now on is for the new one. */
  public void freeze() {
    frozen = true;
  }

  private void requireNotFrozen() throws RefusedException {
    if (frozen) {
      throw new RefusedException(RefusalReason.BUSY, lost + " is about to have a new server");
    }
  }

  // Rows.

  private boolean isPromoted(long row) {
    long place = parities.placeOf(row / map.k());
    return rows.counter(row) == parities.counter(place, (int) (row % map.k()));
  }

  private void requireStandIn(MemorySegment ids, int count) throws RefusedException {
    rows.check(ids, count);
    for (int i = 0; i < count; i++) {
      long row = ids.get(ID, (long) i * Long.BYTES);
      if (standIns.ofRow(row) != self.index()) {
        throw new RefusedException(
            RefusalReason.NOT_OWNER, self + " does not stand in for " + lost + "'s row " + row);
      }
    }
  }

  /** Wants rows; returns whether all are promoted already. */
  private boolean want(MemorySegment ids, int count) {
    boolean all = true;
    for (int i = 0; i < count; i++) {
      long row = ids.get(ID, (long) i * Long.BYTES);
      if (!isPromoted(row)) {
        reads.want(row);
        all = false;
      }
    }
    return all;
  }

  /**
   * Answers now or when the rows are promoted. Decoding itself waits for {@link #tick}: whatever
   * goes wrong with it must not be taken for a fault of this message.
   */
  public void pull(NodeId from, DataMessage.Pull pull) throws RefusedException {
    MemorySegment ids = pull.rows().segment();
    int count = pull.count();
    requireNotFrozen();
    requireStandIn(ids, count);
    if (count > 1 && (long) count * rows.layout().weightBytes() > messageBytesMax) {
      throw new RefusedException(
          RefusalReason.MALFORMED, count + " rows are more than a message may hold");
    }
    Question question = new Question(from, pull.request());
    if (want(ids, count)) {
      outbox.send(from, new DataMessage.Rows(pull.request(), new GatheredRows(rows, ids, count)));
    } else if (!waitingPulls.containsKey(question)) {
      if (waitingPulls.size() >= WAITING_PULLS_MAX) {
        throw new RefusedException(RefusalReason.BUSY, waitingPulls.size() + " pulls wait");
      }
      waitingPulls.put(question, ids.toArray(ID));
    }
  }

  /**
   * Rows of the lost server that were ever updated and are this server's now.
   *
   * @throws RefusedException BUSY until all are promoted
   * @see RowStore#export
   */
  public RowExport export(long fromRow, long toRow, int maxRows) throws RefusedException {
    requireNotFrozen();
    if (!isSwept()) {
      throw new RefusedException(RefusalReason.BUSY, "rows of " + lost + " are being decoded");
    }
    return rows.export(fromRow, toRow, maxRows);
  }

  // Transactions.

  /**
   * Keeps one part of a transaction.
   *
   * @return NOTHING_YET also while rows are being decoded; then {@link Listener#staged} follows
   */
  public TransactionTable.StageAnswer stage(DataMessage.Stage stage) throws RefusedException {
    requireNotFrozen();
    if (stage instanceof DataMessage.StageRows m) {
      requireStandIn(m.rows().segment(), m.count());
    }
    TransactionTable.StageAnswer answer = transactions.stage(stage);
    if (stage instanceof DataMessage.StageRows m
        && answer != TransactionTable.StageAnswer.APPLIED) {
      want(m.rows().segment(), m.count());
    }
    TxId tx = stage.header().tx();
    if (answer == TransactionTable.StageAnswer.STAGED && !isReady(tx)) {
      waitingStages.add(tx);
      answer = TransactionTable.StageAnswer.NOTHING_YET;
    }
    return answer;
  }

  private boolean isReady(TxId tx) {
    return transactions.stagedRows(tx, this::isPromoted);
  }

  /**
   * Applies a staged transaction.
   *
   * @throws RefusedException UNKNOWN_TRANSACTION also while its rows are being decoded
   */
  public TransactionState commit(TxId tx, long watermark) throws RefusedException {
    requireNotFrozen();
    if (!isReady(tx)) {
      throw new RefusedException(
          RefusalReason.UNKNOWN_TRANSACTION, tx + ": Staged was not answered here");
    }
    return transactions.commit(tx, watermark);
  }

  /**
   * Ends a dead worker's transactions, at once or when their rows are promoted.
   *
   * @see TransactionTable#resolve
   */
  public void resolve(NodeId worker, long incarnation, List<Long> committed) {
    if (!resolveIfReady(worker, incarnation, committed)) {
      resolving.put(new Incarnation(worker, incarnation), committed);
    }
  }

  /** Whether something that a dead worker left here is not settled. */
  public boolean isResolving(NodeId worker, long incarnation) {
    return resolving.containsKey(new Incarnation(worker, incarnation));
  }

  private boolean resolveIfReady(NodeId worker, long incarnation, List<Long> committed) {
    if (frozen) {
      return false; // Asked again in the next epoch, here or at the new server.
    }
    for (long sequence : committed) {
      if (!isReady(new TxId(worker, incarnation, sequence))) {
        return false;
      }
    }
    transactions.resolve(worker, incarnation, committed);
    waitingStages.removeIf(tx -> tx.worker().equals(worker) && tx.incarnation() == incarnation);
    return true;
  }

  /** The lost server's record of committed data, at its deputy. */
  public List<RangeRecord> ranges() {
    return transactions.ranges();
  }

  // Decoding.

  private final class Promotion implements DegradedReads.Promoter {
    @Override
    public void promote(long row, int counter, MemorySegment changes, long offsetBytes) {
      if (isPromoted(row)) {
        return;
      }
      if (!rows.repair(row, 0, counter, code, changes, offsetBytes)) {
        throw new IllegalStateException(
            "row " + row + " of " + lost + " was updated before it was decoded");
      }
      promotedRows++;
    }

    @Override
    public void batchEnds() {
      answerPulls();
      answerStages();
      for (Iterator<Map.Entry<Incarnation, List<Long>>> each = resolving.entrySet().iterator();
          each.hasNext(); ) {
        Map.Entry<Incarnation, List<Long>> entry = each.next();
        Incarnation worker = entry.getKey();
        if (resolveIfReady(worker.worker(), worker.incarnation(), entry.getValue())) {
          each.remove();
          listener.resolved(worker.worker(), worker.incarnation());
        }
      }
    }
  }

  private void answerPulls() {
    for (Iterator<Map.Entry<Question, long[]>> each = waitingPulls.entrySet().iterator();
        each.hasNext(); ) {
      Map.Entry<Question, long[]> entry = each.next();
      MemorySegment ids = MemorySegment.ofArray(entry.getValue());
      int count = entry.getValue().length;
      if (want(ids, count)) {
        each.remove();
        Question question = entry.getKey();
        outbox.send(
            question.asker(),
            new DataMessage.Rows(question.request(), new GatheredRows(rows, ids, count)));
      }
    }
  }

  private void answerStages() {
    List<TxId> ready = new ArrayList<>();
    if (frozen) {
      return;
    }
    waitingStages.removeIf(
        tx -> {
          boolean now = isReady(tx);
          if (now) {
            ready.add(tx);
          }
          return now;
        });
    ready.forEach(tx -> listener.staged(tx, lost));
  }

  /** An owner was in another epoch and has dropped a question. */
  public void onRefused(NodeId owner, long nowNanos) {
    reads.onRefused(owner, nowNanos);
  }

  /** Rows of an owner, in its stream. */
  public void onCapturedRows(NodeId from, PeerMessage.CapturedRows message, long nowNanos) {
    reads.onCapturedRows(from, message, nowNanos);
  }

  /** Differences were folded into own parities, in the order of their rows. */
  public void folded(PeerMessage.Deltas deltas, MemorySegment values) {
    if (reads.isIdle()) {
      return;
    }
    MemorySegment ids = deltas.rows().segment();
    MemorySegment counters = deltas.counters().segment();
    for (int i = 0; i < deltas.count(); i++) {
      long row = ids.get(ID, (long) i * Long.BYTES);
      reads.folded(
          parities.placeOf(row / map.k()),
          (int) (row % map.k()),
          counters.get(ValueLayout.JAVA_INT_UNALIGNED, (long) i * Integer.BYTES),
          values,
          (long) i * rows.layout().rowBytes());
    }
  }

  /** Whether all rows are promoted. */
  public boolean isSwept() {
    return sweptPlaces == parities.capacity() && reads.isIdle();
  }

  /** Time passes: decodes what nobody has wanted yet. */
  public void tick(long nowNanos) {
    if (reads.isIdle() && sweptPlaces < parities.capacity()) {
      sweep();
    }
    reads.tick(nowNanos);
  }

  private void sweep() {
    long end = Math.min(parities.capacity(), sweptPlaces + SWEEP_LOOK_AHEAD);
    int wanted = 0;
    while (sweptPlaces < end && wanted < reads.capacity()) {
      long stripe = parities.stripeAt(sweptPlaces++);
      if (stripe >= map.stripes() || standIns.ofStripe(stripe) != self.index()) {
        continue;
      }
      for (int member = 0; member < map.k(); member++) {
        long row = stripe * map.k() + member;
        if (row < map.rows() && map.serverOf(stripe, member) == lost.index() && !isPromoted(row)) {
          reads.want(row);
          wanted++;
        }
      }
    }
  }

  @Override
  public void close() {
    transactions.close();
    reads.close();
    applier.close();
    rows.close();
  }
}
