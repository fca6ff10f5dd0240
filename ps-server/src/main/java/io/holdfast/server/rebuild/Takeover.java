package io.holdfast.server.rebuild;

import io.holdfast.config.control.ServerControl.CopyState;
import io.holdfast.config.control.ServerControl.RangeRecord;
import io.holdfast.config.placement.Member;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.placement.PlacementMap;
import io.holdfast.config.placement.StripeMap;
import io.holdfast.config.protocol.PeerMessage;
import io.holdfast.config.protocol.RefusalReason;
import io.holdfast.server.redundancy.CopyStream;
import io.holdfast.server.redundancy.FoldRecords;
import io.holdfast.server.redundancy.Holder;
import io.holdfast.server.storage.NnStore;
import io.holdfast.server.storage.ParityStore;
import io.holdfast.server.storage.RefusedException;
import io.holdfast.server.storage.RowStore;
import io.holdfast.server.transaction.Applier;
import io.holdfast.server.transaction.RangeLedger;
import io.holdfast.server.transaction.TransactionTable;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * A server's beginning in a lost one's place: takes what all others give it, and follows their
 * changes, until the next epoch makes it the owner.
 *
 * <pre>
 *   COPYING --all others have given all--> COPIED --all have stopped to act for the lost one-->
 *   TAKEN_OVER --the next epoch--> it is the owner
 * </pre>
 *
 * <p>A server of which an epoch takes away one that was giving begins anew with empty memory.
 */
public final class Takeover {
  private static final ValueLayout.OfLong ID = ValueLayout.JAVA_LONG_UNALIGNED;
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;

  private final int self;
  private final StripeMap map;
  private final RowStore rows;
  private final NnStore nn;
  private final ParityStore parities;
  private final FoldRecords inherited = new FoldRecords();
  private final InheritedParts parts = new InheritedParts();

  /** What the lost server had recorded of committed data. */
  private final RangeLedger ranges = new RangeLedger();

  private final Set<NodeId> givers = new HashSet<>();
  private final Set<NodeId> given = new HashSet<>();
  private final Set<NodeId> stopped = new HashSet<>();

  /** By giver: how far its own rows and those that it had decoded have come, 0 to 1 each. */
  private final Map<NodeId, double[]> shares = new TreeMap<>(Comparator.comparingInt(NodeId::code));

  private Member member;
  private boolean owner = true;
  private long bytes;

  /** A server that is an owner until a map says otherwise. */
  public Takeover(int self, StripeMap map, RowStore rows, NnStore nn, ParityStore parities) {
    this.self = self;
    this.map = map;
    this.rows = rows;
    this.nn = nn;
    this.parities = parities;
  }

  /** Whether this server has its share and may answer for it. */
  public boolean isOwner() {
    return owner;
  }

  /** Whether this process, which began with empty memory, must do so again to follow a map. */
  public boolean mustBeginAnew(PlacementMap newest) {
    Member now = newest.member(NodeId.server(self)).orElse(null);
    return member != null && now != null && now.isCopying() && !now.equals(member);
  }

  /**
   * A newer map.
   *
   * @param table gets what the lost server had recorded, when this server becomes the owner
   * @return whether it does now
   */
  public boolean onEpoch(PlacementMap newest, TransactionTable table) {
    Member now = newest.member(NodeId.server(self)).orElse(null);
    if (now == null) {
      // Not yet named: whoever is alive and named gives, once it is.
      owner = false;
      return false;
    }
    if (now.isCopying()) {
      if (member == null) {
        owner = false;
        member = now;
        newest.members().stream()
            .filter(each -> each.node().role() == NodeId.Role.SERVER && !each.isCopying())
            .forEach(each -> givers.add(each.node()));
      }
      return false;
    }
    boolean begins = !owner;
    if (begins && state() != CopyState.TAKEN_OVER) {
      throw new IllegalStateException(
          now.node() + " is to be an owner, but it is " + state() + ": " + given + " gave");
    }
    owner = true;
    if (begins) {
      ranges.records().forEach(table::adoptRange);
      nn.begin(newest.epoch());
    }
    return begins;
  }

  /** How far it is. */
  public CopyState state() {
    if (member == null || !given.containsAll(givers)) {
      return CopyState.COPYING;
    }
    return stopped.containsAll(givers) ? CopyState.TAKEN_OVER : CopyState.COPIED;
  }

  /** Since which epoch, packed; 0 if it never was one that copies. */
  public long since() {
    return member == null ? 0 : member.copyingSince();
  }

  /** About which share of what is to be copied is here. */
  public double share() {
    if (givers.isEmpty()) {
      return 0;
    }
    double sum = 0;
    for (NodeId giver : givers) {
      double[] its = shares.getOrDefault(giver, new double[2]);
      sum += given.contains(giver) ? 1 : (its[0] + its[1]) / 2;
    }
    return sum / givers.size();
  }

  /** Bytes that came. */
  public long bytes() {
    return bytes;
  }

  /** Applies what comes after, without what was applied before. */
  public Applier applier(Applier applier) {
    return new InheritedApplier(
        applier, inherited, rows.layout().weightBytes(), () -> member != null);
  }

  /**
   * Takes an item.
   *
   * @param holder keeps what is folded and recorded for others
   */
  public void on(NodeId from, PeerMessage.CopyItem item, Holder holder) throws RefusedException {
    if (owner) {
      throw new RefusedException(
          RefusalReason.MALFORMED, from + " gives what server-" + self + " has");
    }
    switch (item) {
      case PeerMessage.CopiedRows m -> rows(from, m);
      case PeerMessage.CopiedShard m -> {
        nn.install(m.shard(), m.version(), m.values().segment());
        bytes += m.values().lengthBytes();
      }
      case PeerMessage.CopiedRanges m -> {
        if (m.owner() == self) {
          CopyStream.ranges(m).forEach(ranges::add);
        } else {
          List<RangeRecord> all = new ArrayList<>(holder.ledger(m.owner()));
          all.addAll(CopyStream.ranges(m));
          holder.ledger(m.owner(), all);
        }
      }
      case PeerMessage.CopiedRecords m -> records(m, holder);
      case PeerMessage.CopiedStage m -> parts.add(m);
      case PeerMessage.Copied m -> {
        given.add(from);
        if (m.last()) {
          stopped.add(from);
        }
      }
    }
  }

  private void rows(NodeId from, PeerMessage.CopiedRows message) throws RefusedException {
    int count = message.count();
    MemorySegment ids = message.rows().segment();
    MemorySegment counters = message.counters().segment();
    MemorySegment values = message.values().segment();
    int rowBytes = rows.layout().rowBytes();
    if (count == 0
        || counters.byteSize() != 4L * count
        || values.byteSize() != (long) count * rowBytes) {
      throw new RefusedException(
          RefusalReason.MALFORMED,
          count + " rows, " + counters.byteSize() + " and " + values.byteSize() + " bytes");
    }
    boolean own = message.owner() == self;
    if (own) {
      for (int i = 0; i < count; i++) {
        rows.install(ids.get(ID, 8L * i), counters.get(INT, 4L * i), values, (long) i * rowBytes);
      }
    } else {
      parities.copy(message.owner(), ids, counters, values, count);
    }
    bytes += ids.byteSize() + counters.byteSize() + values.byteSize();
    double[] its = shares.computeIfAbsent(from, key -> new double[2]);
    double share = (ids.get(ID, 8L * (count - 1)) + 1.0) / map.rows();
    its[own ? 1 : 0] = Math.max(its[own ? 1 : 0], share);
    if (own) {
      its[0] = 1;
    }
  }

  private void records(PeerMessage.CopiedRecords message, Holder holder) {
    FoldRecords records = message.owner() == self ? inherited : holder.records();
    MemorySegment ids = message.rows().segment();
    records.rows(message.tx(), message.watermark(), ids, (int) (ids.byteSize() / Long.BYTES));
    MemorySegment its = message.shards().segment();
    for (long at = 0; at < its.byteSize(); at += Integer.BYTES) {
      records.shard(message.tx(), message.watermark(), its.get(INT, at));
    }
    if (message.ranged()) {
      records.range(message.tx(), message.watermark());
    }
  }

  /** A dead worker's transactions of which something came from stand-ins. */
  public TransactionTable.Knowledge known(NodeId worker, long incarnation) {
    return new TransactionTable.Knowledge(
        inherited.watermark(worker, incarnation),
        inherited.decided(worker, incarnation),
        parts.of(worker, incarnation));
  }

  /** Before a dead worker's transactions are resolved: those of which parts came from stand-ins. */
  public void resolve(
      NodeId worker, long incarnation, List<Long> committed, TransactionTable table) {
    parts.resolve(worker, incarnation, committed, table);
  }
}
