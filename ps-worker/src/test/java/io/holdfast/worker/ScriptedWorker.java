package io.holdfast.worker;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.holdfast.config.control.ControlMessage;
import io.holdfast.config.control.WorkerControl.Lease;
import io.holdfast.config.control.WorkerControl.LeaseGranted;
import io.holdfast.config.control.WorkerControl.RequestLease;
import io.holdfast.config.job.JobSpec;
import io.holdfast.config.placement.Epoch;
import io.holdfast.config.placement.Member;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.protocol.DataMessage;
import io.holdfast.config.protocol.DataRange;
import io.holdfast.config.protocol.Payload;
import io.holdfast.config.protocol.RefusalReason;
import io.holdfast.config.protocol.ShardVersion;
import io.holdfast.config.protocol.TxId;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** A worker's core whose surroundings a test plays, step by step. Takes what it is asked about. */
final class ScriptedWorker implements WorkerEffects, AutoCloseable {
  static final NodeId NODE = NodeId.worker(0);
  static final long INCARNATION = 77;

  record Sent(NodeId to, DataMessage message) {}

  final JobSpec job;
  final WorkerCore core;
  private final List<Sent> sent = new ArrayList<>();
  private final List<ControlMessage> told = new ArrayList<>();
  private final ArrayDeque<Iteration> reads = new ArrayDeque<>();
  private final ArrayDeque<LeaseTracker> leases = new ArrayDeque<>();
  final ArrayDeque<Iteration> computes = new ArrayDeque<>();
  final List<FailureKind> failures = new ArrayList<>();
  int finished;
  long now = 5_000_000_000L;

  ScriptedWorker(JobSpec job, int... lost) {
    this.job = job;
    core =
        new WorkerCore(new Member(NODE, INCARNATION, ""), job, TestJobs.standIns(job, lost), this);
    core.start(now);
  }

  @Override
  public void send(NodeId to, DataMessage message) {
    sent.add(new Sent(to, message));
  }

  @Override
  public void control(ControlMessage message) {
    told.add(message);
  }

  @Override
  public void read(Iteration iteration, LeaseTracker lease) {
    reads.add(iteration);
    leases.add(lease);
  }

  @Override
  public void compute(Iteration iteration) {
    computes.add(iteration);
  }

  @Override
  public void fail(FailureKind kind, String reason) {
    failures.add(kind);
  }

  @Override
  public void finished() {
    finished++;
  }

  /** What was sent since this was last asked. */
  List<Sent> takeSent() {
    List<Sent> taken = List.copyOf(sent);
    sent.clear();
    return taken;
  }

  /** The messages of a kind among {@link #takeSent}. */
  <T extends DataMessage> List<T> takeSent(Class<T> kind) {
    return takeSent().stream().map(Sent::message).filter(kind::isInstance).map(kind::cast).toList();
  }

  /** What the coordinator was told since this was last asked. */
  List<ControlMessage> takeTold() {
    List<ControlMessage> taken = List.copyOf(told);
    told.clear();
    return taken;
  }

  boolean wantsToRead() {
    return !reads.isEmpty();
  }

  /** Answers the request for a lease that was told last. */
  void grant(Lease lease) {
    List<ControlMessage> all = takeTold();
    RequestLease request = (RequestLease) all.getLast();
    core.onControl(new LeaseGranted(request.request(), lease), now);
  }

  static Lease lease(long id, long from, long to, long maxBatches) {
    return new Lease(id, 0, 0, from, to, maxBatches);
  }

  /** The preparer read up to a position; {@code ids} are the samples' rows in each table. */
  void read(long from, long to, int skipped, int[]... ids) {
    Iteration iteration = reads.remove();
    LeaseTracker lease = leases.remove();
    assertEquals(from, lease.position(), "where to read");
    int tables = job.model().tables().size();
    int[] flat = new int[ids.length * tables];
    for (int i = 0; i < ids.length; i++) {
      System.arraycopy(ids[i], 0, flat, i * tables, tables);
    }
    if (ids.length > 0) {
      iteration.plan.build(flat, tables, ids.length);
      iteration.planned();
    }
    core.onRead(iteration, new DataRange(0, 0, from, to, ids.length, skipped), now);
  }

  /** Answers pulls rightly, with zeros. */
  void answer(List<Sent> pulls) {
    for (Sent each : pulls) {
      switch (each.message()) {
        case DataMessage.Pull pull -> message(each.to(), rows(pull));
        case DataMessage.PullShard pull -> message(each.to(), shard(pull));
        default -> {
          // Asks nothing.
        }
      }
    }
  }

  DataMessage rows(DataMessage.Pull pull) {
    return new DataMessage.Rows(
        pull.request(), zeros((long) pull.count() * job.model().dim() * Float.BYTES));
  }

  DataMessage shard(DataMessage.PullShard pull) {
    return new DataMessage.ShardValues(
        pull.request(),
        pull.shard(),
        new ShardVersion(new Epoch(1, 1), 3),
        zeros((long) job.nnShards().length(pull.shard()) * Float.BYTES));
  }

  static Payload zeros(long bytes) {
    return Payload.of(MemorySegment.ofArray(new byte[(int) bytes]));
  }

  void message(NodeId from, DataMessage message) {
    core.onMessage(from, message, now);
  }

  void refuse(int server, long correlation, RefusalReason reason) {
    message(NodeId.server(server), new DataMessage.Refused(correlation, reason));
  }

  static TxId tx(long sequence) {
    return new TxId(NODE, INCARNATION, sequence);
  }

  void staged(int server, long sequence) {
    staged(server, server, sequence);
  }

  void staged(int server, int owner, long sequence) {
    message(NodeId.server(server), new DataMessage.Staged(tx(sequence), owner));
  }

  void applied(int server, long sequence) {
    applied(server, server, sequence);
  }

  void applied(int server, int owner, long sequence) {
    message(NodeId.server(server), new DataMessage.Applied(tx(sequence), owner));
  }

  /** A new epoch without some servers. */
  void epochWithout(int... lost) {
    core.onEpoch(TestJobs.standIns(job, lost), now);
  }

  /** Servers among what was sent. */
  static Set<Integer> servers(List<Sent> messages, Class<? extends DataMessage> kind) {
    TreeSet<Integer> servers = new TreeSet<>();
    for (Sent each : messages) {
      if (kind.isInstance(each.message())) {
        servers.add(each.to().index());
      }
    }
    return servers;
  }

  void compute() {
    core.onComputed(computes.remove(), 0.5, now);
  }

  /** From a pending read to a transaction that is staged nowhere yet. */
  void trainUpToStage(long from, long to, int[]... ids) {
    read(from, to, 0, ids);
    answer(takeSent());
    compute();
  }

  /** All servers say what they say when all goes well. */
  void commitEverywhere(long sequence) {
    for (int server = 0; server < job.servers(); server++) {
      staged(server, sequence);
    }
    for (int server = 0; server < job.servers(); server++) {
      applied(server, sequence);
    }
  }

  /** Time passes. */
  void pass(long nanos) {
    now += nanos;
    core.tick(now);
  }

  @Override
  public void close() {
    core.close();
  }
}
