package io.holdfast.server.rebuild;

import io.holdfast.config.control.ServerControl.RangeRecord;
import io.holdfast.config.job.JobSpec;
import io.holdfast.config.job.Redundancy;
import io.holdfast.config.placement.Backups;
import io.holdfast.config.placement.Member;
import io.holdfast.config.placement.NnShards;
import io.holdfast.config.placement.StripeMap;
import io.holdfast.config.protocol.Participants;
import io.holdfast.config.protocol.Payload;
import io.holdfast.config.protocol.TxHeader;
import io.holdfast.config.protocol.TxId;
import io.holdfast.erasure.ErasureCode;
import io.holdfast.server.redundancy.CopyStream;
import io.holdfast.server.redundancy.FoldRecords;
import io.holdfast.server.redundancy.Origin;
import io.holdfast.server.standin.StandIn;
import io.holdfast.server.storage.NnStore;
import io.holdfast.server.storage.RefusedException;
import io.holdfast.server.storage.RowExport;
import io.holdfast.server.storage.RowStore;
import io.holdfast.server.transaction.TransactionTable;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.function.LongPredicate;
import java.util.function.Supplier;

/**
 * Gives a process that takes a lost server's place what this server has for it, a piece at a time
 * and not faster than {@code recovery.rate}, while training goes on.
 *
 * <pre>
 *   COPIES  the NN shards and the record of data of which it is to be a backup
 *   ROWS    own rows of stripes whose parity it is to hold; it encodes
 *   LOST    the lost server's rows that were decoded here, once all are
 *   GIVEN   it follows all changes of what it was given
 *   STOPPED this server acts for the lost one no more, and has given the last of what it had
 * </pre>
 *
 * <p>Every piece is as of all changes before it in the stream, and changes follow only of what was
 * given: so nothing is locked, and nothing is buffered, while a share of any size is copied. Only
 * what is small (NN shards, records, staged parts) waits for the end, when the owner changes.
 */
public final class Transfer {
  private enum State {
    COPIES,
    ROWS,
    LOST,
    GIVEN,
    STOPPED
  }

  /** Rows that are looked at before others have their turn. */
  private static final int LOOK_AHEAD = 4096;

  /** What may be sent at once after a pause: this share of a second's. */
  private static final int BURST_DIVISOR = 200;

  /** Messages that wait for an acknowledgement, at most: whoever takes them sets the pace. */
  private static final int WAITING_MESSAGES = 4;

  private final int self;
  private final int slot;
  private final Member to;
  private final StripeMap map;
  private final NnShards shards;
  private final Redundancy redundancy;
  private final ErasureCode code;
  private final RowStore rows;
  private final NnStore nn;
  private final Supplier<List<RangeRecord>> ledger;
  private final FoldRecords folded;
  private final Origin origin;
  private final CopyStream stream;
  private final double bytesPerNano;
  private final double burst;
  private final long waitingBytesMax;
  private State state = State.COPIES;
  private long nextRow;
  private double allowed;
  private long lastNanos;
  private long[] chosen;

  /**
   * Nothing is given yet.
   *
   * @param to who takes the lost server's place
   * @param ledger this server's own record of committed data
   * @param folded what this server has folded, or applied as a stand-in, of others' rows
   */
  public Transfer(
      int self,
      Member to,
      JobSpec job,
      ErasureCode code,
      RowStore rows,
      NnStore nn,
      Supplier<List<RangeRecord>> ledger,
      FoldRecords folded,
      Origin origin,
      long nowNanos) {
    this.self = self;
    this.to = to;
    this.slot = to.node().index();
    this.map = job.stripeMap();
    this.shards = job.nnShards();
    this.redundancy = job.redundancy();
    this.code = code;
    this.rows = rows;
    this.nn = nn;
    this.ledger = ledger;
    this.folded = folded;
    this.origin = origin;
    this.stream = origin.copyTo(slot);
    this.lastNanos = nowNanos;
    int givers = Math.max(1, job.servers() - 1);
    this.bytesPerNano = (double) redundancy.recoveryBytesPerSecond() / givers / 1e9;
    this.burst = Math.max(job.messageBytesMax(), bytesPerNano * 1e9 / BURST_DIVISOR);
    this.allowed = burst;
    this.waitingBytesMax =
        Math.min(redundancy.windowBytes() / 2, (long) WAITING_MESSAGES * job.messageBytesMax());
    this.chosen = new long[stream.rowsMax()];
  }

  /** Whether this is for that process, since the same epoch. */
  public boolean isTo(Member member) {
    return member.equals(to);
  }

  /**
   * Time passes: gives more.
   *
   * @param standIn who acts here for the lost server; null if nobody does
   */
  public void tick(StandIn standIn, long nowNanos) {
    allowed = Math.min(burst, allowed + bytesPerNano * (nowNanos - lastNanos));
    lastNanos = nowNanos;
    int looked = 0;
    while (allowed > 0
        && looked < LOOK_AHEAD
        && state.compareTo(State.GIVEN) < 0
        && stream.unacknowledgedBytes() < waitingBytesMax) {
      switch (state) {
        case COPIES -> copies();
        case ROWS -> {
          RowExport found = export(rows, row -> holdsParity(row / map.k()));
          stream.rowsBelow(nextRow);
          looked += LOOK_AHEAD / 8;
          if (found == null) {
            nextRow = 0;
            state = State.LOST;
          }
        }
        case LOST -> {
          if (standIn == null) {
            given();
          } else if (!standIn.isSwept()) {
            return;
          } else {
            RowExport found = export(standIn.rows(), row -> true);
            standIn.follow(nextRow, this::again);
            looked += LOOK_AHEAD / 8;
            if (found == null) {
              given();
            }
          }
        }
        case GIVEN, STOPPED -> throw new IllegalStateException(state + " gives nothing");
      }
    }
  }

  private void copies() {
    try {
      if (Backups.isBackup(slot, self, redundancy.nnReplicas(), map.servers())) {
        for (int shard = self; shard < shards.count(); shard += shards.servers()) {
          allowed -= stream.shard(shard, nn.version(shard), nn.all(shard));
        }
      }
    } catch (RefusedException e) {
      throw new IllegalStateException("an own NN shard is refused", e);
    }
    if (Backups.isBackup(slot, self, redundancy.r(), map.servers())) {
      stream.ranges(self, ledger.get());
    }
    stream.copiesGiven();
    state = State.ROWS;
  }

  private boolean holdsParity(long stripe) {
    for (int parity = 0; parity < map.r(); parity++) {
      if (map.serverOf(stripe, map.k() + parity) == slot) {
        return true;
      }
    }
    return false;
  }

  /** Gives the next updated rows of a store; null if there are none any more. */
  private RowExport export(RowStore store, LongPredicate wanted) {
    if (nextRow >= map.rows()) {
      return null;
    }
    RowExport found;
    try {
      found = store.export(nextRow, map.rows(), stream.rowsMax());
    } catch (RefusedException e) {
      throw new IllegalStateException("row " + nextRow + " and others are refused", e);
    }
    Payload ids = found.rows();
    MemorySegment all = MemorySegment.ofArray(new long[found.count()]);
    ids.writeTo(all, 0);
    int count = 0;
    for (int i = 0; i < found.count(); i++) {
      long row = all.get(ValueLayout.JAVA_LONG_UNALIGNED, 8L * i);
      if (wanted.test(row)) {
        chosen[count++] = row;
      }
    }
    nextRow = found.nextRow();
    if (store == rows) {
      allowed -=
          stream.rows(
              self,
              chosen,
              count,
              (row, target, at) -> {
                rows.changes(row, code, target, at);
                return rows.counter(row);
              });
    } else {
      allowed -= lostRows(store, chosen, count);
    }
    return found;
  }

  private long lostRows(RowStore store, long[] ids, int count) {
    return stream.rows(
        slot,
        ids,
        count,
        (row, target, at) -> {
          store.copy(row, target, at);
          return store.counter(row);
        });
  }

  /** Rows of the lost server that were given have changed: they are given again. */
  private void again(RowStore store, long[] ids, int count) {
    for (int from = 0; from < count; from += chosen.length) {
      int some = Math.min(chosen.length, count - from);
      System.arraycopy(ids, from, chosen, 0, some);
      lostRows(store, chosen, some);
    }
  }

  private void given() {
    origin
        .records()
        .visit(
            (tx, watermark, ranged, rowsOf, shardsOf) ->
                record(
                    self,
                    tx,
                    watermark,
                    ranged,
                    rowsOf,
                    shardsOf,
                    row -> holdsParity(row / map.k())));
    stream.end(false);
    state = State.GIVEN;
  }

  private void record(
      int owner,
      TxId tx,
      long watermark,
      boolean ranged,
      List<long[]> rowsOf,
      List<Integer> shardsOf,
      LongPredicate wanted) {
    long[] ids = rowsOf.stream().flatMapToLong(Arrays::stream).filter(wanted).toArray();
    int[] its =
        shardsOf.stream()
            .mapToInt(Integer::intValue)
            .filter(shard -> shards.primary(shard) == owner)
            .toArray();
    stream.records(owner, tx, watermark, ranged, ids, its);
  }

  /**
   * The owner changes: whoever acts here for the lost server has stopped. Gives the last of what it
   * has, once; nothing before all else is given.
   *
   * @param standIn null if nobody acts here for it
   */
  public void handOver(StandIn standIn) {
    if (state != State.GIVEN) {
      return;
    }
    if (standIn != null) {
      standIn.freeze();
      if (standIn.isDeputy()) {
        deputysShare(standIn);
      }
      folded.visit(
          (tx, watermark, ranged, rowsOf, shardsOf) ->
              record(
                  slot,
                  tx,
                  watermark,
                  ranged && standIn.isDeputy(),
                  rowsOf,
                  shardsOf,
                  row -> map.serverOfRow(row) == slot));
      standIn
          .transactions()
          .visitStaged(
              new TransactionTable.StagedVisitor() {
                @Override
                public void rows(
                    TxHeader header,
                    Participants participants,
                    MemorySegment ids,
                    MemorySegment gradients) {
                  stream.stage(header, participants, -1, ids, gradients);
                }

                @Override
                public void shard(
                    TxHeader header,
                    Participants participants,
                    int shard,
                    MemorySegment gradients) {
                  stream.stage(header, participants, shard, MemorySegment.NULL, gradients);
                }
              });
    }
    stream.end(true);
    state = State.STOPPED;
  }

  private void deputysShare(StandIn standIn) {
    try {
      for (int shard = slot; shard < shards.count(); shard += shards.servers()) {
        stream.shard(shard, nn.version(shard), nn.all(shard));
      }
    } catch (RefusedException e) {
      throw new IllegalStateException("the deputy has not got an NN shard", e);
    }
    stream.ranges(slot, standIn.ranges());
  }
}
