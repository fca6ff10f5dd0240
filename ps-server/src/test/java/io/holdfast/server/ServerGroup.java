package io.holdfast.server;

import io.holdfast.config.control.ControlMessage;
import io.holdfast.config.control.ServerControl;
import io.holdfast.config.control.ServerControl.CopyState;
import io.holdfast.config.job.CommitMode;
import io.holdfast.config.job.JobSpec;
import io.holdfast.config.job.StandIns;
import io.holdfast.config.placement.Backups;
import io.holdfast.config.placement.Epoch;
import io.holdfast.config.placement.Member;
import io.holdfast.config.placement.NnShards;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.placement.PlacementMap;
import io.holdfast.config.placement.StripeMap;
import io.holdfast.config.protocol.DataMessage;
import io.holdfast.config.protocol.DataRange;
import io.holdfast.config.protocol.Envelope;
import io.holdfast.config.protocol.MalformedFrameException;
import io.holdfast.config.protocol.MessageCodec;
import io.holdfast.config.protocol.Participants;
import io.holdfast.config.protocol.Payload;
import io.holdfast.config.protocol.TxHeader;
import io.holdfast.config.protocol.TxId;
import io.holdfast.config.transport.EndpointCounters;
import io.holdfast.server.storage.MemorySettings;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.agrona.concurrent.UnsafeBuffer;

/** All servers of a job, joined by queues of encoded frames. */
public final class ServerGroup implements AutoCloseable {
  /** What to do with a frame. */
  public interface Wire {
    /** How often the frame arrives. */
    int copies(NodeId from, NodeId to, DataMessage message);
  }

  private record Sent(NodeId from, NodeId to, MemorySegment frame) {}

  private static final Wire PERFECT = (from, to, message) -> 1;

  public final JobSpec job;
  public final StripeMap map;
  public final List<ServerCore> cores = new ArrayList<>();

  /** What arrived at workers and readers. */
  public final ArrayDeque<DataMessage> answers = new ArrayDeque<>();

  public Wire wire = PERFECT;
  public long nowNanos;

  /** Whether workers say that all their former transactions are applied everywhere. */
  public boolean watermarks = true;

  private final Arena arena = Arena.ofAuto();
  private final ArrayDeque<Sent> queue = new ArrayDeque<>();
  private final MessageCodec codec = new MessageCodec();
  private final NnShards shards;
  private final Set<NodeId> lost = new HashSet<>();
  private final List<ControlMessage> told = new ArrayList<>();
  private PlacementMap members;
  private long incarnations = 900;

  public ServerGroup(JobSpec job) {
    this.job = job;
    this.map = job.stripeMap();
    this.shards = job.nnShards();
    members = TestJobs.map(job);
    for (int i = 0; i < job.servers(); i++) {
      cores.add(core(i));
    }
  }

  private ServerCore core(int server) {
    NodeId self = NodeId.server(server);
    return new ServerCore(
        self,
        job,
        members,
        MemorySettings.DEFAULT,
        (to, message) -> send(self, to, message),
        told::add,
        new EndpointCounters());
  }

  /** Puts a message on its way. */
  public void send(NodeId from, NodeId to, DataMessage message) {
    int length = MessageCodec.lengthBytes(message);
    MemorySegment frame = arena.allocate(length, 64);
    Envelope envelope = new Envelope(TestJobs.KEY, new Epoch(1, 1), from, 0, to, 0);
    codec.encode(envelope, message, frame, new UnsafeBuffer(frame.address(), length));
    for (int i = wire.copies(from, to, message); i > 0; i--) {
      queue.add(new Sent(from, to, frame));
    }
  }

  /** Delivers until nothing is on its way. */
  public void settle() {
    do {
      while (!queue.isEmpty()) {
        Sent sent = queue.remove();
        DataMessage message;
        try {
          message = codec.decode(sent.frame).message();
        } catch (MalformedFrameException e) {
          throw new AssertionError(e);
        }
        if (lost.contains(sent.to) || lost.contains(sent.from)) {
          continue;
        }
        if (sent.to.role() == NodeId.Role.SERVER) {
          cores.get(sent.to.index()).onMessage(sent.from, message, nowNanos);
        } else {
          answers.add(message);
        }
      }
      live().forEach(ServerCore::flush);
    } while (!queue.isEmpty());
  }

  /** Lets time pass and settles. */
  public void pass(long nanos) {
    nowNanos += nanos;
    live().forEach(core -> core.tick(nowNanos));
    settle();
  }

  /** Servers that are not lost. */
  public List<ServerCore> live() {
    return java.util.stream.IntStream.range(0, cores.size())
        .filter(i -> !lost.contains(NodeId.server(i)))
        .mapToObj(cores::get)
        .toList();
  }

  /** A server is gone, with all that is on its way from or to it; the others hear of it. */
  public void lose(int server) {
    lost.add(NodeId.server(server));
    members = members.without(NodeId.server(server));
    live().forEach(core -> core.onControl(new ServerControl.AdoptEpoch(members), nowNanos));
  }

  /** A new process comes to take a lost server's place and begins to copy. */
  public void join(int server) {
    NodeId node = NodeId.server(server);
    lost.remove(node);
    cores.get(server).close();
    cores.set(server, core(server));
    Epoch epoch = members.epoch().next();
    name(new Member(node, ++incarnations, "", epoch.packed()), epoch);
  }

  /** All stop to act for a lost server, and its new process becomes the owner. */
  public void handOver(int server) {
    NodeId node = NodeId.server(server);
    Member copying = members.member(node).orElseThrow();
    requireState(server, CopyState.COPIED);
    live()
        .forEach(
            core ->
                core.onControl(new ServerControl.HandOver(node, copying.incarnation()), nowNanos));
    settle();
    requireState(server, CopyState.TAKEN_OVER);
    name(new Member(node, copying.incarnation(), ""), members.epoch().next());
  }

  private void requireState(int server, CopyState state) {
    told.clear();
    cores.get(server).onControl(new ServerControl.QueryCopy(), nowNanos);
    CopyState found = ((ServerControl.CopyProgress) told.getFirst()).state();
    if (found != state) {
      throw new AssertionError("server-" + server + " is " + found + ", not " + state);
    }
  }

  private void name(Member member, Epoch epoch) {
    List<Member> all = new ArrayList<>(members.members());
    all.removeIf(each -> each.node().equals(member.node()));
    all.add(member);
    members = new PlacementMap(epoch, members.sessionKey(), all);
    live().forEach(core -> core.onControl(new ServerControl.AdoptEpoch(members), nowNanos));
  }

  /** Who stands in for lost servers. */
  public StandIns standIns() {
    return StandIns.of(job, members);
  }

  /** Stages and commits a transaction of rows and of all NN shards, with random gradients. */
  public TxId train(int worker, long sequence, long[] rows, java.util.Random random) {
    TxId tx = new TxId(NodeId.worker(worker), 200 + worker, sequence);
    Participants participants = stage(tx, rows, random);
    settle();
    if (job.commit() == CommitMode.TWO_PHASE) {
      for (int i = 0; i < participants.count(); i++) {
        send(
            tx.worker(),
            NodeId.server(participants.get(i)),
            new DataMessage.Commit(tx, participants.get(i), watermarks ? sequence - 1 : 0));
      }
      settle();
    }
    return tx;
  }

  /** Sends all Stage messages of a transaction. */
  public Participants stage(TxId tx, long[] rows, java.util.Random random) {
    List<List<Long>> byServer = new ArrayList<>();
    for (int i = 0; i < job.servers(); i++) {
      byServer.add(new ArrayList<>());
    }
    for (long row : rows) {
      byServer.get(map.serverOfRow(row)).add(row);
    }
    int[] taking =
        java.util.stream.IntStream.range(0, job.servers())
            .filter(s -> !byServer.get(s).isEmpty() || shardsOf(s) > 0)
            .toArray();
    Participants participants = Participants.of(taking);
    int witnesses = job.redundancy().witness() ? job.redundancy().r() : 0;
    for (int owner : taking) {
      long[] own = byServer.get(owner).stream().mapToLong(Long::longValue).toArray();
      int parts = shardsOf(owner) + (own.length > 0 ? 1 : 0);
      List<DataMessage> messages = new ArrayList<>();
      if (own.length > 0) {
        messages.add(
            new DataMessage.StageRows(
                header(tx, owner, 0, parts),
                participants,
                Payload.of(TestJobs.ids(own)),
                gradients(own.length * job.model().dim(), random)));
      }
      for (int shard = owner; shard < shards.count(); shard += job.servers()) {
        messages.add(
            new DataMessage.StageShard(
                header(tx, owner, messages.size(), parts),
                participants,
                shard,
                gradients(shards.length(shard), random)));
      }
      for (DataMessage message : messages) {
        send(tx.worker(), NodeId.server(owner), message);
        for (int copy = 0; copy < witnesses; copy++) {
          send(tx.worker(), NodeId.server(Backups.backup(owner, copy, job.servers())), message);
        }
      }
    }
    return participants;
  }

  private int shardsOf(int server) {
    int count = 0;
    for (int shard = server; shard < shards.count(); shard += job.servers()) {
      count++;
    }
    return count;
  }

  private TxHeader header(TxId tx, int owner, int part, int parts) {
    long sequence = tx.sequence();
    return new TxHeader(
        tx,
        watermarks ? sequence - 1 : 0,
        0.1f,
        owner,
        new DataRange(0, tx.worker().index(), 10 * sequence, 10 * sequence + 10, 10, 0),
        part,
        parts);
  }

  private Payload gradients(int count, java.util.Random random) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = random.nextFloat() - 0.5f;
    }
    return Payload.of(MemorySegment.ofArray(Arrays.copyOf(values, count)));
  }

  @Override
  public void close() {
    cores.forEach(ServerCore::close);
  }
}
