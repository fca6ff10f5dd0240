package io.holdfast.server;

import io.holdfast.config.control.ControlMessage;
import io.holdfast.config.control.RedundancyStatistics;
import io.holdfast.config.control.ServerControl;
import io.holdfast.config.control.ServerControl.CopyState;
import io.holdfast.config.fault.FaultPoints;
import io.holdfast.config.fault.InjectionPoint;
import io.holdfast.config.job.CommitMode;
import io.holdfast.config.job.JobSpec;
import io.holdfast.config.job.Redundancy;
import io.holdfast.config.job.StandIns;
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
import io.holdfast.config.transport.EndpointCounters;
import io.holdfast.erasure.CodeKind;
import io.holdfast.erasure.ErasureCode;
import io.holdfast.erasure.ErasureCodes;
import io.holdfast.server.rebuild.Takeover;
import io.holdfast.server.rebuild.Transfer;
import io.holdfast.server.rebuild.Transfers;
import io.holdfast.server.redundancy.Holder;
import io.holdfast.server.redundancy.Origin;
import io.holdfast.server.scrub.ScrubAnswers;
import io.holdfast.server.scrub.Scrubber;
import io.holdfast.server.scrub.Stores;
import io.holdfast.server.standin.StandIn;
import io.holdfast.server.storage.GatheredRows;
import io.holdfast.server.storage.MemorySettings;
import io.holdfast.server.storage.NnStore;
import io.holdfast.server.storage.ParityStore;
import io.holdfast.server.storage.RefusedException;
import io.holdfast.server.storage.RowExport;
import io.holdfast.server.storage.RowStore;
import io.holdfast.server.transaction.TransactionState;
import io.holdfast.server.transaction.TransactionTable;
import io.holdfast.server.transaction.WitnessTable;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
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

  private record Incarnation(NodeId worker, long incarnation) {}

  /** More than any message's fixed part, envelope and length prefixes. */
  private static final int MESSAGE_OVERHEAD_BYTES = 256;

  private final NodeId self;
  private final JobSpec job;
  private final NnShards shards;
  private final RowStore rows;
  private final NnStore nn;

  /** Null without redundancy. */
  private final ErasureCode code;

  /** Null without redundancy. */
  private final ParityStore parities;

  private final Origin origin;

  /** Null without redundancy. */
  private final Holder holder;

  /** Null without redundancy. */
  private final Scrubber scrubber;

  /** Null without redundancy. */
  private final ScrubAnswers scrubAnswers;

  private final WitnessTable witness;
  private final TransactionTable transactions;
  private final Outbox outbox;
  private final Consumer<ControlMessage> coordinator;
  private final EndpointCounters transport;
  private final int exportRowsMax;

  /** By lost server. */
  private final Map<Integer, StandIn> acting = new TreeMap<>();

  /** Null without redundancy. */
  private final Transfers transfers;

  /** Null without redundancy. */
  private final Takeover takeover;

  private CopyState copyTold = CopyState.COPYING;

  /** For servers that have a process again. */
  private long decodedRows;

  private final boolean onePhase;
  private final Map<NodeId, Long> incarnations = new HashMap<>();

  /** Dead workers whose committed transactions are not redundant yet. */
  private final Set<Incarnation> resolving = new LinkedHashSet<>();

  private final Map<RefusalReason, Long> refusals = new EnumMap<>(RefusalReason.class);
  private Epoch epoch;
  private long nowNanos;
  private long lastRequest;
  private StandIns standIns;

  /**
   * Allocates this server's share of the model.
   *
   * @param map the epoch in which the server starts
   * @param outbox where answers to data messages go
   * @param coordinator where answers to control messages go
   * @param transport what passes the data link, for the statistics
   * @throws IllegalStateException if the host does not give the memory
   */
  public ServerCore(
      NodeId self,
      JobSpec job,
      PlacementMap map,
      MemorySettings memory,
      Outbox outbox,
      Consumer<ControlMessage> coordinator,
      EndpointCounters transport) {
    if (self.role() != NodeId.Role.SERVER || self.index() >= job.servers()) {
      throw new IllegalArgumentException(self + " in a job of " + job.servers() + " servers");
    }
    this.self = self;
    this.job = job;
    this.standIns = StandIns.none(job);
    this.outbox = outbox;
    this.coordinator = coordinator;
    this.transport = transport;
    shards = job.nnShards();
    ParameterInit init = new ParameterInit(job.seed());
    rows = new RowStore(job.model(), job.optimizer(), job.stripeMap(), self.index(), init, memory);
    Redundancy redundancy = job.redundancy();
    onePhase = job.commit() == CommitMode.ONE_PHASE;
    code =
        redundancy.isOn()
            ? ErasureCodes.create(
                CodeKind.ofSettingName(redundancy.code()), redundancy.k(), redundancy.r())
            : null;
    try {
      nn =
          new NnStore(
              NnLayout.of(job.model()),
              shards,
              job.optimizer(),
              self.index(),
              redundancy.isOn() ? redundancy.nnReplicas() : 0,
              map.epoch(),
              init,
              memory);
    } catch (RuntimeException e) {
      rows.close();
      throw e;
    }
    try {
      parities =
          code == null
              ? null
              : new ParityStore(
                  job.model(), job.optimizer(), job.stripeMap(), self.index(), code, memory);
    } catch (RuntimeException e) {
      rows.close();
      nn.close();
      throw e;
    }
    origin = new Origin(self.index(), job, rows, nn, code, outbox, this::redundant);
    holder =
        code == null
            ? null
            : new Holder(self.index(), job.servers(), redundancy.r(), parities, nn, new Captures());
    if (code == null) {
      scrubber = null;
      scrubAnswers = null;
    } else {
      Stores.Parities kept = new Stores.Parities(parities);
      Stores.Rows own = new Stores.Rows(rows, job.stripeMap(), self.index(), code);
      scrubber =
          new Scrubber(
              self, job, code, kept, new Stores.Shards(nn, shards), outbox, this::nextRequest);
      scrubAnswers =
          new ScrubAnswers(self, job.stripeMap(), rows.layout().rowBytes(), own, kept, outbox);
    }
    long share = job.stagedBytesMax() / job.workers();
    witness =
        new WitnessTable(
            self.index(), job.servers(), redundancy.witness() ? redundancy.r() : 0, share);
    takeover =
        code == null ? null : new Takeover(self.index(), job.stripeMap(), rows, nn, parities);
    transactions =
        new TransactionTable(
            self.index(),
            job.servers(),
            rows,
            nn,
            takeover == null ? origin : takeover.applier(origin),
            job.commit(),
            share);
    transfers =
        code == null
            ? null
            : new Transfers(self.index(), job.servers(), origin, holder, this::transfer);
    exportRowsMax =
        Math.max(
            1,
            (job.messageBytesMax() - MESSAGE_OVERHEAD_BYTES)
                / (Long.BYTES + Integer.BYTES + rows.layout().rowBytes()));
    epoch = map.epoch();
    name(map);
    if (code != null) {
      takeover.onEpoch(map, transactions);
      transfers.onEpoch(map);
      if (!takeover.isOwner()) {
        standIns = StandIns.of(job, map);
        origin.onEpoch(standIns);
      }
    }
  }

  private Transfer transfer(Member to) {
    return new Transfer(
        self.index(),
        to,
        job,
        code,
        rows,
        nn,
        transactions::ranges,
        holder.records(),
        origin,
        nowNanos);
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
    return rows.touchedBytes()
        + nn.touchedBytes()
        + acting.values().stream().mapToLong(standIn -> standIn.rows().touchedBytes()).sum();
  }

  /** Memory of rows and NN shards once every row was updated. */
  public long reservedBytes() {
    return rows.reservedBytes()
        + nn.touchedBytes()
        + nn.replicaBytes()
        + (parities == null ? 0 : parities.reservedBytes());
  }

  /** This server's parities, null without redundancy; for the thread that drives the core. */
  public ParityStore parities() {
    return parities;
  }

  /** What this server has sent to others; for the thread that drives the core. */
  public Origin origin() {
    return origin;
  }

  /** What this server keeps for others, null without redundancy; for the driving thread. */
  public Holder holder() {
    return holder;
  }

  /** Committed data that this server records, for itself and for lost servers. */
  public List<ServerControl.RangeRecord> ranges() {
    if (acting.isEmpty()) {
      return transactions.ranges();
    }
    List<ServerControl.RangeRecord> all = new ArrayList<>(transactions.ranges());
    acting.values().forEach(standIn -> all.addAll(standIn.ranges()));
    return all;
  }

  /** Committed data that this server records for itself. */
  public List<ServerControl.RangeRecord> ownRanges() {
    return transactions.ranges();
  }

  /** Those for which this server stands in, by lost server; for the thread that drives the core. */
  public Map<Integer, StandIn> acting() {
    return Collections.unmodifiableMap(acting);
  }

  private long nextRequest() {
    return ++lastRequest;
  }

  /** Memory of parities and of copies of NN shards. */
  public long redundancyBytes() {
    return nn.replicaBytes() + (parities == null ? 0 : parities.touchedBytes());
  }

  /** Memory of what is kept as a witness. */
  public long witnessBytes() {
    return witness.bytes();
  }

  /**
   * Takes rows of a saved model, in the form of an export: own ones, and into parities those whose
   * stripes have one here. All servers must be given all rows, before training.
   *
   * @see RowStore#importRows
   */
  public int importRows(
      MemorySegment rowIds, MemorySegment counters, MemorySegment values, int count) {
    return rows.importRows(rowIds, counters, values, count, parities, code);
  }

  /** Memory of staged parts that are neither applied nor dropped. */
  public long stagedBytes() {
    return transactions.stagedBytes()
        + acting.values().stream().mapToLong(standIn -> standIn.transactions().stagedBytes()).sum();
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
   * A data message. {@link #flush} is to follow, at the latest when no more messages are at hand.
   */
  public void onMessage(NodeId from, DataMessage message, long nowNanos) {
    at(nowNanos);
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
        // A worker in another epoch dropped an answer; it asks again when it has the new map.
        if (isPeer(from)) {
          origin.onRefused(from);
          acting.values().forEach(standIn -> standIn.onRefused(from, nowNanos));
        }
      }
      case DataMessage.ExportedRows m -> ignore(from, m);
      case DataMessage.ExportedShard m -> ignore(from, m);
      case DataMessage.Scrub m -> answer(from, m.request(), m, () -> onScrub(from, m));
      case DataMessage.Scrubbed m -> ignore(from, m);
      case PeerMessage m -> {
        if (isPeer(from) && holder != null) {
          onPeer(from, m);
        } else {
          ignore(from, m);
        }
      }
    }
  }

  private boolean isPeer(NodeId from) {
    return from.role() == NodeId.Role.SERVER
        && from.index() < shards.servers()
        && !from.equals(self);
  }

  private void onPeer(NodeId from, PeerMessage message) {
    try {
      switch (message) {
        case PeerMessage.StreamItem m -> holder.onItem(from, m);
        case PeerMessage.StreamAck m -> origin.onAck(from, m.number(), m.gap());
        case PeerMessage.CaptureRows m -> origin.captureRows(from, m.request(), m.rows().segment());
        case PeerMessage.CaptureShard m -> origin.captureShard(from, m.request(), m.shard());
        case PeerMessage.CaptureParities m -> scrubAnswers.onCaptureParities(from, m);
        case PeerMessage.CapturedParities m -> scrubber.onCapturedParities(from, m, nowNanos);
        case PeerMessage.RepairRows m -> scrubAnswers.onRepairRows(from, m);
      }
    } catch (RefusedException e) {
      // Not answered: the stream stands, its age is told, and whoever looks finds this.
      refusals.merge(e.reason(), 1L, Long::sum);
      LOG.warn(
          "{} cannot take a {} of {}: {}: {}",
          self,
          message.getClass().getSimpleName(),
          from,
          e.reason(),
          e.getMessage());
    }
  }

  /** What travels in the streams beside changes. */
  private final class Captures implements Holder.Listener {
    @Override
    public void folded(NodeId from, PeerMessage.Deltas deltas, MemorySegment values) {
      if (scrubber.isListening()) {
        scrubber.folded(deltas, values);
      }
      acting.values().forEach(standIn -> standIn.folded(deltas, values));
    }

    @Override
    public void captured(NodeId from, PeerMessage.CapturedRows captured) {
      scrubber.onCapturedRows(from, captured, nowNanos);
      acting.values().forEach(standIn -> standIn.onCapturedRows(from, captured, nowNanos));
    }

    @Override
    public void captured(NodeId from, PeerMessage.CapturedShard captured) {
      scrubber.onCapturedShard(captured, nowNanos);
    }

    @Override
    public void copied(NodeId from, PeerMessage.CopyItem item) throws RefusedException {
      takeover.on(from, item, holder);
      if (takeover.state() != copyTold) {
        tellCopy();
      }
    }
  }

  /** Sends what is better sent once for many messages: acknowledgements to other servers. */
  public void flush() {
    if (holder != null) {
      holder.flush(outbox);
    }
  }

  /** Time passes. */
  public void tick(long nowNanos) {
    at(nowNanos);
    origin.tick();
    if (scrubber != null && takeover.isOwner()) {
      scrubber.tick(nowNanos);
    }
    acting.values().forEach(standIn -> standIn.tick(nowNanos));
    if (transfers != null) {
      transfers.tick(acting, nowNanos);
    }
  }

  private void at(long now) {
    nowNanos = now;
    origin.at(now);
  }

  private interface Handler {
    void handle() throws RefusedException;
  }

  private void answer(NodeId from, long correlation, DataMessage message, Handler handler) {
    try {
      if (takeover != null && !takeover.isOwner()) {
        throw new RefusedException(RefusalReason.BUSY, self + " has not got its share yet");
      }
      handler.handle();
    } catch (RefusedException e) {
      refuse(from, correlation, message, e.reason(), e.getMessage());
    } catch (RuntimeException e) {
      if (message instanceof DataMessage.Commit
          || (onePhase && message instanceof DataMessage.Stage)) {
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
    if (!acting.isEmpty() && count > 0) {
      StandIn standIn = actingFor(ids.get(ValueLayout.JAVA_LONG_UNALIGNED, 0));
      if (standIn != null) {
        standIn.pull(from, pull);
        return;
      }
    }
    rows.check(ids, count);
    outbox.send(from, new DataMessage.Rows(pull.request(), new GatheredRows(rows, ids, count)));
  }

  /** Who acts here for the lost owner of a row; null if nobody does, or there is no such row. */
  private StandIn actingFor(long row) {
    return row < 0 || row >= job.stripeMap().rows()
        ? null
        : acting.get(job.stripeMap().serverOfRow(row));
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
    int owner = stage.header().owner();
    if (acting.containsKey(owner)) {
      stageFor(acting.get(owner), from, stage);
      return;
    }
    if (owner != self.index()) {
      if (witness.stage(stage)) {
        outbox.send(from, new DataMessage.Staged(tx, owner));
      }
      return;
    }
    switch (transactions.stage(stage)) {
      case NOTHING_YET -> {
        // Answered with the last part.
      }
      case STAGED -> {
        // In one phase this only says that the worker's next part may come; Applied follows.
        if (!onePhase || !commit(tx, stage.header().watermark())) {
          FaultPoints.reached(InjectionPoint.STAGED);
          outbox.send(from, new DataMessage.Staged(tx, owner));
        }
      }
      case APPLIED -> outbox.send(from, new DataMessage.Applied(tx, self.index()));
    }
  }

  private void stageFor(StandIn standIn, NodeId from, DataMessage.Stage stage)
      throws RefusedException {
    TxId tx = stage.header().tx();
    switch (standIn.stage(stage)) {
      case NOTHING_YET -> {
        // Answered with the last part, once all rows are promoted.
      }
      case STAGED -> stagedFor(standIn, tx, stage.header().watermark());
      case APPLIED -> outbox.send(from, new DataMessage.Applied(tx, standIn.lost().index()));
    }
  }

  private void stagedFor(StandIn standIn, TxId tx, long watermark) throws RefusedException {
    if (onePhase) {
      commitFor(standIn, tx, watermark);
    } else {
      outbox.send(tx.worker(), new DataMessage.Staged(tx, standIn.lost().index()));
    }
  }

  private void commitFor(StandIn standIn, TxId tx, long watermark) throws RefusedException {
    if (standIn.commit(tx, watermark) == TransactionState.APPLIED) {
      outbox.send(tx.worker(), new DataMessage.Applied(tx, standIn.lost().index()));
    }
  }

  /** What a stand-in could not answer at once. */
  private final class Answers implements StandIn.Listener {
    @Override
    public void staged(TxId tx, NodeId lost) {
      try {
        requireOwn(tx.worker(), tx);
        stagedFor(acting.get(lost.index()), tx, 0);
      } catch (RefusedException e) {
        LOG.debug("{}: {} is staged, but {}", self, tx, e.getMessage());
      }
    }

    @Override
    public void resolved(NodeId worker, long incarnation) {
      Incarnation settled = new Incarnation(worker, incarnation);
      if (resolving.contains(settled)) {
        tellResolved(settled);
      }
    }
  }

  private void onCommit(NodeId from, DataMessage.Commit commit) throws RefusedException {
    TxId tx = commit.tx();
    requireOwn(from, tx);
    FaultPoints.reached(InjectionPoint.COMMITTING);
    if (commit.owner() == self.index()) {
      commit(tx, commit.watermark());
    } else if (acting.containsKey(commit.owner())) {
      commitFor(acting.get(commit.owner()), tx, commit.watermark());
    } else {
      throw new RefusedException(
          RefusalReason.NOT_OWNER, tx + ": " + self + " has no part of server-" + commit.owner());
    }
  }

  /** Returns whether it is redundant at once; else it is answered when holders acknowledge. */
  private boolean commit(TxId tx, long watermark) throws RefusedException {
    boolean applied = transactions.commit(tx, watermark) == TransactionState.APPLIED;
    FaultPoints.reached(InjectionPoint.APPLYING);
    if (applied) {
      outbox.send(tx.worker(), new DataMessage.Applied(tx, self.index()));
    }
    return applied;
  }

  /** All holders have acknowledged. */
  private void redundant(TxId tx) {
    transactions.redundant(tx);
    outbox.send(tx.worker(), new DataMessage.Applied(tx, self.index()));
    Incarnation worker = new Incarnation(tx.worker(), tx.incarnation());
    if (resolving.contains(worker)) {
      tellResolved(worker);
    }
  }

  private void tellResolved(Incarnation worker) {
    boolean standInResolves =
        acting.values().stream()
            .anyMatch(each -> each.isResolving(worker.worker(), worker.incarnation()));
    if (standInResolves || transactions.isApplying(worker.worker(), worker.incarnation())) {
      resolving.add(worker);
    } else {
      resolving.remove(worker);
      coordinator.accept(
          new ServerControl.WorkerResolved(self, worker.worker(), worker.incarnation()));
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

  private void onScrub(NodeId from, DataMessage.Scrub scrub) throws RefusedException {
    if (scrubber == null || from.role() != NodeId.Role.READER) {
      throw new RefusedException(
          RefusalReason.MALFORMED,
          scrubber == null ? "nothing is redundant in this job" : from + " is no reader");
    }
    scrubber.onScrub(from, incarnations.getOrDefault(from, 0L), scrub, nowNanos);
  }

  private void onExport(NodeId from, DataMessage.Export export) throws RefusedException {
    RowExport found;
    if (export.owner() == self.index()) {
      found = rows.export(export.fromRow(), export.toRow(), exportRowsMax);
    } else if (acting.containsKey(export.owner())) {
      found = acting.get(export.owner()).export(export.fromRow(), export.toRow(), exportRowsMax);
    } else {
      throw new RefusedException(
          RefusalReason.NOT_OWNER, self + " has no rows of server-" + export.owner());
    }
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
   */
  public void onControl(ControlMessage message, long nowNanos) {
    at(nowNanos);
    switch (message) {
      case ServerControl.AdoptEpoch m -> {
        adopt(m.map());
        coordinator.accept(new ServerControl.EpochAdopted(self, epoch));
      }
      case ServerControl.QueryWorker m -> {
        TransactionTable.Knowledge known = fence(m.worker(), m.incarnation());
        witness.fence(m.worker(), m.incarnation());
        long watermark = watermark(m.worker(), m.incarnation(), known);
        coordinator.accept(
            new ServerControl.WorkerTransactions(
                self,
                m.worker(),
                m.incarnation(),
                watermark,
                decided(m.worker(), m.incarnation(), known, watermark),
                known.undecided()));
      }
      case ServerControl.ResolveWorker m -> {
        if (takeover != null) {
          takeover.resolve(m.worker(), m.incarnation(), m.committed(), transactions);
        }
        transactions.resolve(m.worker(), m.incarnation(), m.committed());
        witness.resolve(m.worker(), m.incarnation());
        for (StandIn standIn : acting.values()) {
          standIn.resolve(m.worker(), m.incarnation(), m.committed());
        }
        // Its data counts as committed from then on, so it must be redundant.
        tellResolved(new Incarnation(m.worker(), m.incarnation()));
      }
      case ServerControl.QueryRanges m ->
          coordinator.accept(new ServerControl.CommittedRanges(self, m.query(), ranges()));
      case ServerControl.QueryStatistics m -> coordinator.accept(statistics());
      case ServerControl.HandOver m -> {
        if (transfers != null) {
          transfers.handOver(m.lost(), m.incarnation(), acting.get(m.lost().index()));
        }
      }
      case ServerControl.QueryCopy m -> {
        if (takeover != null) {
          tellCopy();
        }
      }
      default ->
          LOG.warn("{} ignored a control message: {}", self, message.getClass().getSimpleName());
    }
  }

  private void tellCopy() {
    copyTold = takeover.state();
    coordinator.accept(
        new ServerControl.CopyProgress(
            self,
            incarnations.getOrDefault(self, 0L),
            takeover.since(),
            copyTold,
            takeover.share(),
            takeover.bytes()));
  }

  /**
   * Whether a map tells this server to take a lost one's place from the beginning although it has
   * begun already: then it must be closed and another one made, with empty memory.
   */
  public boolean mustBeginAnew(PlacementMap map) {
    return takeover != null && map.epoch().compareTo(epoch) > 0 && takeover.mustBeginAnew(map);
  }

  /** What is known of a dead worker's transactions, here and of lost servers' parts. */
  private TransactionTable.Knowledge fence(NodeId worker, long incarnation) {
    TransactionTable.Knowledge known = transactions.fence(worker, incarnation);
    if (takeover != null) {
      known = known.with(takeover.known(worker, incarnation));
    }
    for (StandIn standIn : acting.values()) {
      known = known.with(standIn.transactions().fence(worker, incarnation));
    }
    return known;
  }

  /** A watermark may have come with the worker's own messages, or only with a server's stream. */
  private long watermark(NodeId worker, long incarnation, TransactionTable.Knowledge known) {
    return holder == null
        ? known.watermark()
        : Math.max(known.watermark(), holder.records().watermark(worker, incarnation));
  }

  /** Whoever has folded anything of a transaction knows that it is decided (hazard 5). */
  private List<Long> decided(
      NodeId worker, long incarnation, TransactionTable.Knowledge known, long watermark) {
    if (holder == null) {
      return known.decided();
    }
    TreeSet<Long> decided = new TreeSet<>(known.decided());
    // In one phase what counts is what the recorder has; if it is lost, what its copies have.
    decided.addAll(
        onePhase
            ? holder.records().ranged(worker, incarnation)
            : holder.records().decided(worker, incarnation));
    return List.copyOf(decided.tailSet(watermark, false));
  }

  private void adopt(PlacementMap map) {
    int order = map.epoch().compareTo(epoch);
    if (order < 0) {
      return;
    }
    name(map);
    if (order > 0) {
      standIns = StandIns.of(job, map);
      if (holder != null) {
        if (takeover.onEpoch(map, transactions)) {
          LOG.info("{} has taken the lost server's place", self);
        }
        standIn(transfers.onEpoch(map));
        scrubber.onEpoch(standIns, nowNanos);
      }
      origin.onEpoch(standIns);
    }
  }

  private void name(PlacementMap map) {
    epoch = map.epoch();
    incarnations.clear();
    for (Member member : map.members()) {
      incarnations.put(member.node(), member.incarnation());
      if (holder != null && member.node().role() == NodeId.Role.WORKER) {
        holder.records().named(member.node(), member.incarnation());
        origin.records().named(member.node(), member.incarnation());
      }
    }
  }

  /**
   * Begins to act for servers that were lost, ends for those that have a process again.
   *
   * @param followed whose place somebody takes, as before
   */
  private void standIn(Set<Integer> followed) {
    for (Iterator<Map.Entry<Integer, StandIn>> each = acting.entrySet().iterator();
        each.hasNext(); ) {
      Map.Entry<Integer, StandIn> entry = each.next();
      if (!standIns.isLost(entry.getKey())) {
        each.remove();
        standDown(entry.getKey(), entry.getValue());
      } else if (!followed.contains(entry.getKey())) {
        entry.getValue().unfollow();
      }
    }
    for (int lost = 0; lost < job.servers(); lost++) {
      if (standIns.standsIn(self.index(), lost) && !acting.containsKey(lost)) {
        boolean deputy = standIns.deputy(lost) == self.index();
        LOG.info("{} stands in for server-{}{}", self, lost, deputy ? " as its deputy" : "");
        if (deputy) {
          nn.promote(lost, epoch);
        }
        acting.put(
            lost,
            new StandIn(
                self,
                NodeId.server(lost),
                deputy,
                job,
                standIns,
                code,
                parities,
                nn,
                holder,
                outbox,
                this::nextRequest,
                new Answers()));
      }
    }
    acting.values().forEach(standIn -> standIn.onEpoch(standIns));
  }

  private void standDown(int server, StandIn standIn) {
    LOG.info("{} stands in for server-{} no more", self, server);
    if (standIn.isDeputy()) {
      holder.ledger(server, standIn.ranges());
      nn.demote(server);
    }
    decodedRows += standIn.promotedRows();
    standIn.close();
  }

  private ServerControl.ServerStatistics statistics() {
    long refused = refusals.values().stream().mapToLong(Long::longValue).sum();
    return new ServerControl.ServerStatistics(
        self,
        tableBytes(),
        redundancyBytes(),
        transactions.stagedBytesPeak(),
        transactions.applied(),
        rows.updates(),
        transport.refused() + refused,
        redundancyStatistics());
  }

  private RedundancyStatistics redundancyStatistics() {
    if (holder == null) {
      return RedundancyStatistics.NONE;
    }
    EndpointCounters sent = transport;
    return new RedundancyStatistics(
        sent.deltaBytesSent.sum(),
        sent.nnReplicaBytesSent.sum(),
        origin.unacknowledgedBytesPeak(),
        origin.unacknowledgedNanosMax(),
        scrubber.stripesSeen(),
        scrubber.wrongSeen(),
        scrubber.repairedSeen(),
        holder.records().bytesPeak(),
        holder.tailBytesPeak(),
        witness.bytesPeak(),
        decodedRows + acting.values().stream().mapToLong(StandIn::promotedRows).sum());
  }

  @Override
  public void close() {
    acting.values().forEach(StandIn::close);
    transactions.close();
    witness.close();
    origin.close();
    if (holder != null) {
      scrubber.close();
      holder.close();
      parities.close();
    }
    rows.close();
    nn.close();
  }
}
