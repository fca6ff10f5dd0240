package io.holdfast.server;

import io.holdfast.config.control.ControlMessage;
import io.holdfast.config.control.RedundancyStatistics;
import io.holdfast.config.control.ServerControl;
import io.holdfast.config.job.JobSpec;
import io.holdfast.config.model.NnLayout;
import io.holdfast.config.model.ParameterInit;
import io.holdfast.config.placement.Epoch;
import io.holdfast.config.placement.Member;
import io.holdfast.config.placement.NnShards;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.placement.PlacementMap;
import io.holdfast.config.protocol.DataMessage;
import io.holdfast.config.protocol.Outbox;
import io.holdfast.config.protocol.Payload;
import io.holdfast.config.protocol.PeerMessage;
import io.holdfast.config.protocol.RefusalReason;
import io.holdfast.config.protocol.ShardVersion;
import io.holdfast.config.protocol.TxId;
import io.holdfast.server.storage.MemorySettings;
import io.holdfast.server.storage.NnStore;
import io.holdfast.server.storage.RefusedException;
import io.holdfast.server.storage.RowExport;
import io.holdfast.server.storage.RowStore;
import io.holdfast.server.transaction.TransactionState;
import io.holdfast.server.transaction.TransactionTable;
import java.lang.foreign.MemorySegment;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A parameter server without I/O: messages in, messages out. No clock, no thread, no socket. Data
 * messages must have passed an {@link io.holdfast.config.transport.Endpoint}'s checks.
 *
 * <p>Whatever a data message holds, the server lives: what cannot be done is answered Refused and
 * counted. An exception from any method means that values may be wrong, and the server must stop.
 */
public final class ServerCore implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ServerCore.class);

  /** More than any message's fixed part, envelope and length prefixes. */
  private static final int MESSAGE_OVERHEAD_BYTES = 256;

  private final NodeId self;
  private final NnShards shards;
  private final RowStore rows;
  private final NnStore nn;
  private final TransactionTable transactions;
  private final Outbox outbox;
  private final Consumer<ControlMessage> coordinator;
  private final LongSupplier transportRefusals;
  private final int exportRowsMax;
  private final Map<NodeId, Long> incarnations = new HashMap<>();
  private final Map<RefusalReason, Long> refusals = new EnumMap<>(RefusalReason.class);
  private Epoch epoch;

  /**
   * Allocates this server's share of the model.
   *
   * @param map the epoch in which the server starts
   * @param outbox where answers to data messages go
   * @param coordinator where answers to control messages go
   * @param transportRefusals frames that were refused before they came here, for the statistics
   * @throws IllegalStateException if the host does not give the memory
   */
  public ServerCore(
      NodeId self,
      JobSpec job,
      PlacementMap map,
      MemorySettings memory,
      Outbox outbox,
      Consumer<ControlMessage> coordinator,
      LongSupplier transportRefusals) {
    if (self.role() != NodeId.Role.SERVER || self.index() >= job.servers()) {
      throw new IllegalArgumentException(self + " in a job of " + job.servers() + " servers");
    }
    this.self = self;
    this.outbox = outbox;
    this.coordinator = coordinator;
    this.transportRefusals = transportRefusals;
    shards = job.nnShards();
    ParameterInit init = new ParameterInit(job.seed());
    rows = new RowStore(job.model(), job.optimizer(), job.stripeMap(), self.index(), init, memory);
    try {
      nn =
          new NnStore(
              NnLayout.of(job.model()),
              shards,
              job.optimizer(),
              self.index(),
              map.epoch(),
              init,
              memory);
    } catch (RuntimeException e) {
      rows.close();
      throw e;
    }
    transactions =
        new TransactionTable(
            self.index(), job.servers(), rows, nn, job.stagedBytesMax(), job.workers());
    exportRowsMax =
        Math.max(
            1,
            (job.messageBytesMax() - MESSAGE_OVERHEAD_BYTES)
                / (Long.BYTES + Integer.BYTES + rows.layout().rowBytes()));
    epoch = map.epoch();
    adopt(map);
  }

  /** This server's rows; for the thread that drives the core. */
  public RowStore rows() {
    return rows;
  }

  /** This server's NN shards; for the thread that drives the core. */
  public NnStore nn() {
    return nn;
  }

  /** Memory of rows and NN shards that is committed. */
  public long tableBytes() {
    return rows.touchedBytes() + nn.touchedBytes();
  }

  /** Memory of rows and NN shards once every row was updated. */
  public long reservedBytes() {
    return rows.reservedBytes() + nn.touchedBytes();
  }

  /** Memory of staged parts that are neither applied nor dropped. */
  public long stagedBytes() {
    return transactions.stagedBytes();
  }

  /** Longest message that cannot be cut: a link must carry it. */
  public int longestMessageBytes() {
    long longest = rows.layout().rowBytes() + (long) Long.BYTES + Integer.BYTES;
    for (int shard = 0; shard < shards.count(); shard++) {
      longest = Math.max(longest, nn.exportBytes(shard));
    }
    return Math.toIntExact(longest + MESSAGE_OVERHEAD_BYTES);
  }

  /** Messages that were answered Refused, or could not be answered, for a reason. */
  public long refused(RefusalReason reason) {
    return refusals.getOrDefault(reason, 0L);
  }

  /**
   * A data message.
   *
   * @param nowNanos not used yet; all state machines take it
   */
  public void onMessage(NodeId from, DataMessage message, long nowNanos) {
    switch (message) {
      case DataMessage.Pull m -> answer(from, m.request(), m, () -> onPull(from, m));
      case DataMessage.PullShard m -> answer(from, m.request(), m, () -> onPullShard(from, m));
      case DataMessage.Stage m ->
          answer(from, m.header().tx().sequence(), m, () -> onStage(from, m));
      case DataMessage.Commit m -> answer(from, m.tx().sequence(), m, () -> onCommit(from, m));
      case DataMessage.Export m -> answer(from, m.request(), m, () -> onExport(from, m));
      case DataMessage.ExportShard m -> answer(from, m.request(), m, () -> onExportShard(from, m));
      case DataMessage.Rows m -> ignore(from, m);
      case DataMessage.ShardValues m -> ignore(from, m);
      case DataMessage.Staged m -> ignore(from, m);
      case DataMessage.Applied m -> ignore(from, m);
      case DataMessage.Refused m -> {
        // A peer in another epoch dropped an answer; it asks again when it has the new map.
      }
      case DataMessage.ExportedRows m -> ignore(from, m);
      case DataMessage.ExportedShard m -> ignore(from, m);
      case DataMessage.Scrub m -> ignore(from, m);
      case DataMessage.Scrubbed m -> ignore(from, m);
      case PeerMessage m -> ignore(from, m);
    }
  }

  private interface Handler {
    void handle() throws RefusedException;
  }

  private void answer(NodeId from, long correlation, DataMessage message, Handler handler) {
    try {
      handler.handle();
    } catch (RefusedException e) {
      refuse(from, correlation, message, e.reason(), e.getMessage());
    } catch (RuntimeException e) {
      if (message instanceof DataMessage.Commit) {
        throw e; // Values may have changed half-way.
      }
      // For instance an answer that is too long for the link. Whatever it is, it concerns this
      // message alone.
      LOG.warn("{} could not handle a message of {}", self, from, e);
      refuse(from, correlation, message, RefusalReason.MALFORMED, e.toString());
    }
  }

  private void refuse(
      NodeId to, long correlation, DataMessage message, RefusalReason reason, String why) {
    refusals.merge(reason, 1L, Long::sum);
    String name = message.getClass().getSimpleName();
    if (reason == RefusalReason.MALFORMED || reason == RefusalReason.NOT_OWNER) {
      LOG.warn("{} refused a {} of {}: {}: {}", self, name, to, reason, why);
    } else {
      LOG.debug("{} refused a {} of {}: {}: {}", self, name, to, reason, why);
    }
    outbox.send(to, new DataMessage.Refused(correlation, reason));
  }

  /** Answers are not for servers. Never answered: two servers could go on for ever. */
  private void ignore(NodeId from, DataMessage message) {
    refusals.merge(RefusalReason.MALFORMED, 1L, Long::sum);
    LOG.warn("{} ignored a {} of {}", self, message.getClass().getSimpleName(), from);
  }

  private void onPull(NodeId from, DataMessage.Pull pull) throws RefusedException {
    MemorySegment ids = pull.rows().segment();
    int count = pull.count();
    rows.check(ids, count);
    outbox.send(from, new DataMessage.Rows(pull.request(), new Weights(rows, ids, count)));
  }

  /** Weights that are gathered straight into the outgoing frame. */
  private record Weights(RowStore rows, MemorySegment ids, int count) implements Payload {
    @Override
    public long lengthBytes() {
      return (long) count * rows.layout().weightBytes();
    }

    @Override
    public void writeTo(MemorySegment target, long offsetBytes) {
      try {
        rows.gather(ids, count, target, offsetBytes);
      } catch (RefusedException e) {
        throw new IllegalStateException("rows were checked and yet are refused", e);
      }
    }
  }

  private void onPullShard(NodeId from, DataMessage.PullShard pull) throws RefusedException {
    ShardVersion version = nn.version(pull.shard());
    Payload values =
        version.equals(pull.known()) ? Payload.EMPTY : Payload.of(nn.weights(pull.shard()));
    outbox.send(from, new DataMessage.ShardValues(pull.request(), pull.shard(), version, values));
  }

  private void onStage(NodeId from, DataMessage.Stage stage) throws RefusedException {
    TxId tx = stage.header().tx();
    requireOwn(from, tx);
    switch (transactions.stage(stage)) {
      case NOTHING_YET -> {
        // Answered with the last part.
      }
      case STAGED -> outbox.send(from, new DataMessage.Staged(tx, self.index()));
      case APPLIED -> outbox.send(from, new DataMessage.Applied(tx));
    }
  }

  private void onCommit(NodeId from, DataMessage.Commit commit) throws RefusedException {
    TxId tx = commit.tx();
    requireOwn(from, tx);
    TransactionState state = transactions.commit(tx, commit.watermark());
    if (state == TransactionState.APPLYING) {
      // Nobody else holds anything of it, so there is nobody to wait for.
      state = transactions.redundant(tx);
    }
    if (state == TransactionState.APPLIED) {
      outbox.send(from, new DataMessage.Applied(tx));
    }
  }

  /** A worker speaks of its own transactions only, and only while the map names it. */
  private void requireOwn(NodeId from, TxId tx) throws RefusedException {
    if (from.role() != NodeId.Role.WORKER || !from.equals(tx.worker())) {
      throw new RefusedException(RefusalReason.MALFORMED, tx + " is not a transaction of " + from);
    }
    Long incarnation = incarnations.get(from);
    if (incarnation == null || incarnation != tx.incarnation()) {
      throw new RefusedException(RefusalReason.ABORTED, tx + ": not in the map of epoch " + epoch);
    }
  }

  private void onExport(NodeId from, DataMessage.Export export) throws RefusedException {
    RowExport found = rows.export(export.fromRow(), export.toRow(), exportRowsMax);
    outbox.send(
        from,
        new DataMessage.ExportedRows(
            export.request(), found.nextRow(), found.rows(), found.counters(), found.values()));
  }

  private void onExportShard(NodeId from, DataMessage.ExportShard export) throws RefusedException {
    outbox.send(
        from,
        new DataMessage.ExportedShard(
            export.request(),
            export.shard(),
            nn.version(export.shard()).counter(),
            Payload.of(nn.all(export.shard()))));
  }

  /**
   * A control message. {@link ServerControl.AdoptEpoch} must have reached the endpoint before, so
   * that the answer is a promise.
   *
   * @param nowNanos not used yet; all state machines take it
   */
  public void onControl(ControlMessage message, long nowNanos) {
    switch (message) {
      case ServerControl.AdoptEpoch m -> {
        adopt(m.map());
        coordinator.accept(new ServerControl.EpochAdopted(self, epoch));
      }
      case ServerControl.QueryWorker m -> {
        TransactionTable.Knowledge known = transactions.fence(m.worker(), m.incarnation());
        coordinator.accept(
            new ServerControl.WorkerTransactions(
                self,
                m.worker(),
                m.incarnation(),
                known.watermark(),
                known.decided(),
                known.undecided()));
      }
      case ServerControl.ResolveWorker m -> {
        List<TxId> applying = transactions.resolve(m.worker(), m.incarnation(), m.committed());
        applying.forEach(transactions::redundant);
        coordinator.accept(new ServerControl.WorkerResolved(self, m.worker(), m.incarnation()));
      }
      case ServerControl.QueryRanges m ->
          coordinator.accept(
              new ServerControl.CommittedRanges(self, m.query(), transactions.ranges()));
      case ServerControl.QueryStatistics m -> coordinator.accept(statistics());
      default ->
          LOG.warn("{} ignored a control message: {}", self, message.getClass().getSimpleName());
    }
  }

  private void adopt(PlacementMap map) {
    if (map.epoch().compareTo(epoch) < 0) {
      return;
    }
    epoch = map.epoch();
    incarnations.clear();
    for (Member member : map.members()) {
      incarnations.put(member.node(), member.incarnation());
    }
  }

  private ServerControl.ServerStatistics statistics() {
    long refused = refusals.values().stream().mapToLong(Long::longValue).sum();
    return new ServerControl.ServerStatistics(
        self,
        tableBytes(),
        0,
        transactions.stagedBytesPeak(),
        transactions.applied(),
        rows.updates(),
        transportRefusals.getAsLong() + refused,
        RedundancyStatistics.NONE);
  }

  @Override
  public void close() {
    transactions.close();
    rows.close();
    nn.close();
  }
}
