package io.holdfast.server.scrub;

import io.holdfast.config.job.CommitMode;
import io.holdfast.config.job.DataSpec;
import io.holdfast.config.job.JobSpec;
import io.holdfast.config.job.LearningRate;
import io.holdfast.config.job.Redundancy;
import io.holdfast.config.job.SyncMode;
import io.holdfast.config.model.OptimizerKind;
import io.holdfast.config.model.OptimizerSpec;
import io.holdfast.config.placement.Backups;
import io.holdfast.config.placement.Epoch;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.placement.StripeMap;
import io.holdfast.config.protocol.DataMessage;
import io.holdfast.config.protocol.Payload;
import io.holdfast.config.protocol.PeerMessage;
import io.holdfast.config.protocol.ShardVersion;
import io.holdfast.config.protocol.StreamPosition;
import io.holdfast.erasure.CodeKind;
import io.holdfast.erasure.ErasureCode;
import io.holdfast.erasure.ErasureCodes;
import io.holdfast.server.TestJobs;
import io.holdfast.server.storage.NnStore;
import io.holdfast.server.storage.RefusedException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;

/**
 * Servers that keep rows, parities and copies of NN shards in arrays, with real scrubbers between
 * them. Everything between two servers goes through two queues, one for streams and one for the
 * rest; which queue moves next is drawn.
 */
final class ScrubCluster implements AutoCloseable {
  static final NodeId READER = NodeId.reader(0);
  private static final long RETRY_NANOS = 1_000_000_000L;
  private static final Epoch EPOCH = new Epoch(1, 1);

  final JobSpec job;
  final StripeMap map;
  final ErasureCode code;
  final int rowBytes;
  final List<Server> servers = new ArrayList<>();
  final List<DataMessage.Scrubbed> answers = new ArrayList<>();
  final Random random;
  private final List<ArrayDeque<Runnable>> queues = new ArrayList<>();
  private final Arena arena = Arena.ofShared();
  long nowNanos;
  double losses;
  boolean training;

  ScrubCluster(long seed, int serverCount, Redundancy redundancy, long rows) {
    random = new Random(seed);
    job =
        new JobSpec(
            TestJobs.model(4, rows),
            OptimizerSpec.of(OptimizerKind.ADAGRAD),
            LearningRate.constant(0.1f),
            42,
            serverCount,
            1,
            redundancy,
            CommitMode.TWO_PHASE,
            16,
            8,
            SyncMode.ASYNC,
            0,
            false,
            3,
            "nd4j",
            1,
            1 << 20,
            RETRY_NANOS,
            1 << 12,
            new DataSpec(List.of("data.tsv"), List.of(), false, 0, ""));
    map = job.stripeMap();
    code =
        ErasureCodes.create(
            CodeKind.ofSettingName(redundancy.code()), redundancy.k(), redundancy.r());
    rowBytes = job.rowLayout().rowBytes();
    for (int i = 0; i < 2 * serverCount * serverCount; i++) {
      queues.add(new ArrayDeque<>());
    }
    for (int i = 0; i < serverCount; i++) {
      servers.add(new Server(i));
    }
  }

  /** One server. */
  final class Server implements KeptParities, ScrubAnswers.OwnRows, KeptShards {
    private long lastRequest;

    final int index;
    final MemorySegment rows;
    final int[] rowCounters = new int[(int) map.dataCapacity()];
    final MemorySegment parities;
    final int[] parityCounters = new int[(int) map.parityCapacity() * map.k()];
    final MemorySegment shards;
    final int[] shardUpdates = new int[job.nnShards().count()];
    final Scrubber scrubber;
    final ScrubAnswers answerer;

    Server(int index) {
      this.index = index;
      rows = arena.allocate(map.dataCapacity() * rowBytes);
      parities = arena.allocate(map.parityCapacity() * rowBytes);
      shards = arena.allocate(64L * job.nnShards().count());
      NodeId self = NodeId.server(index);
      answerer =
          new ScrubAnswers(self, map, rowBytes, this, this, (to, message) -> send(to, message));
      scrubber =
          new Scrubber(
              self, job, code, this, this, (to, message) -> send(to, message), () -> ++lastRequest);
    }

    private void send(NodeId to, DataMessage message) {
      if (to.equals(READER)) {
        answers.add((DataMessage.Scrubbed) message);
        return;
      }
      DataMessage sent = written(message);
      Server target = servers.get(to.index());
      if (random.nextDouble() < losses) {
        return;
      }
      queue(index, to.index(), false).add(() -> target.receive(NodeId.server(index), sent));
    }

    private void receive(NodeId from, DataMessage message) {
      try {
        switch (message) {
          case PeerMessage.CaptureRows m -> {
            PeerMessage.CapturedRows answer = capture(m);
            queue(index, from.index(), true)
                .add(
                    () ->
                        servers
                            .get(from.index())
                            .scrubber
                            .onCapturedRows(NodeId.server(index), answer, nowNanos));
          }
          case PeerMessage.CaptureParities m -> answerer.onCaptureParities(from, m);
          case PeerMessage.CapturedParities m -> scrubber.onCapturedParities(from, m, nowNanos);
          case PeerMessage.RepairRows m -> answerer.onRepairRows(from, m);
          case PeerMessage.CaptureShard m -> {
            PeerMessage.CapturedShard answer =
                new PeerMessage.CapturedShard(
                    new StreamPosition(1, 1, 1),
                    m.request(),
                    m.shard(),
                    version(m.shard()),
                    digest(m.shard()));
            queue(index, from.index(), true)
                .add(() -> servers.get(from.index()).scrubber.onCapturedShard(answer, nowNanos));
          }
          default -> throw new AssertionError(message);
        }
      } catch (RefusedException e) {
        throw new AssertionError(e);
      }
    }

    /** Changes a row, here and, in a while, in its parities. */
    void update(long row) {
      int at = (int) map.indexOfRow(row);
      long offset = (long) at * rowBytes;
      byte[] before = rows.asSlice(offset, rowBytes).toArray(ValueLayout.JAVA_BYTE);
      for (int i = 0; i < rowBytes; i += Float.BYTES) {
        float value = rows.get(ValueLayout.JAVA_FLOAT_UNALIGNED, offset + i);
        rows.set(
            ValueLayout.JAVA_FLOAT_UNALIGNED, offset + i, value + (float) random.nextGaussian());
      }
      MemorySegment difference = MemorySegment.ofArray(new byte[rowBytes]);
      code.difference(MemorySegment.ofArray(before), 0, rows, offset, difference, 0, rowBytes);
      int counter = ++rowCounters[at];
      long stripe = row / map.k();
      int member = (int) (row % map.k());
      for (int parity = 0; parity < map.r(); parity++) {
        int j = parity;
        Server holder = servers.get(map.serverOf(stripe, map.k() + parity));
        queue(index, holder.index, true)
            .add(() -> holder.fold(map.indexOfParity(stripe, j), j, member, counter, difference));
      }
    }

    private void fold(long place, int parity, int member, int counter, MemorySegment difference) {
      code.foldDifference(member, parity, difference, 0, parities, place * rowBytes, rowBytes);
      parityCounters[(int) place * map.k() + member]++;
      scrubber.folded(place, member, counter, difference, 0);
    }

    /** Changes an own shard, here and, in a while, in its copies. */
    void updateShard(int shard) {
      change(shard);
      for (int copy = 0; copy < job.redundancy().nnReplicas(); copy++) {
        Server backup = servers.get(Backups.backup(index, copy, servers.size()));
        queue(index, backup.index, true).add(() -> backup.change(shard));
      }
    }

    private void change(int shard) {
      shardUpdates[shard]++;
      values(shard).set(ValueLayout.JAVA_INT, 4L * (shardUpdates[shard] % 16), 7);
    }

    @Override
    public boolean isTouched(long place) {
      for (int member = 0; member < map.k(); member++) {
        if (counter(place, member) != 0) {
          return true;
        }
      }
      return false;
    }

    @Override
    public int counter(long place, int member) {
      return parityCounters[(int) place * map.k() + member];
    }

    @Override
    public MemorySegment segment() {
      return parities;
    }

    @Override
    public long offset(long place) {
      return place * rowBytes;
    }

    @Override
    public void replace(long place, MemorySegment values, long offsetBytes, int[] counters) {
      MemorySegment.copy(values, offsetBytes, parities, offset(place), rowBytes);
      System.arraycopy(counters, 0, parityCounters, (int) place * map.k(), map.k());
    }

    @Override
    public boolean owns(long row) {
      return map.serverOfRow(row) == index;
    }

    int counter(long row) {
      return rowCounters[(int) map.indexOfRow(row)];
    }

    private PeerMessage.CapturedRows capture(PeerMessage.CaptureRows question) {
      long[] asked = question.rows().segment().toArray(ValueLayout.JAVA_LONG_UNALIGNED);
      long[] ids = Arrays.stream(asked).filter(row -> counter(row) > 0).toArray();
      int[] counters = Arrays.stream(ids).mapToInt(this::counter).toArray();
      byte[] values = new byte[ids.length * rowBytes];
      for (int i = 0; i < ids.length; i++) {
        MemorySegment.copy(
            rows,
            map.indexOfRow(ids[i]) * rowBytes,
            MemorySegment.ofArray(values),
            (long) i * rowBytes,
            rowBytes);
      }
      return new PeerMessage.CapturedRows(
          new StreamPosition(1, 1, 1),
          question.request(),
          Payload.of(MemorySegment.ofArray(ids)),
          Payload.of(MemorySegment.ofArray(counters)),
          Payload.of(MemorySegment.ofArray(values)));
    }

    @Override
    public boolean repair(
        long row, int found, int right, MemorySegment difference, long offsetBytes) {
      int at = (int) map.indexOfRow(row);
      if (rowCounters[at] != found) {
        return false;
      }
      MemorySegment.copy(difference, offsetBytes, rows, (long) at * rowBytes, rowBytes);
      rowCounters[at] = right;
      return true;
    }

    @Override
    public boolean isKept(int shard) {
      int primary = job.nnShards().primary(shard);
      return Backups.isBackup(index, primary, job.redundancy().nnReplicas(), servers.size());
    }

    @Override
    public ShardVersion version(int shard) {
      return new ShardVersion(EPOCH, shardUpdates[shard]);
    }

    @Override
    public long digest(int shard) {
      return NnStore.digest(values(shard));
    }

    MemorySegment values(int shard) {
      return shards.asSlice(64L * shard, 64);
    }
  }

  private ArrayDeque<Runnable> queue(int from, int to, boolean stream) {
    return queues.get(2 * (from * servers.size() + to) + (stream ? 1 : 0));
  }

  private static Payload written(Payload payload) {
    return Payload.of(MemorySegment.ofArray(TestJobs.bytes(payload)));
  }

  private static DataMessage written(DataMessage message) {
    return switch (message) {
      case PeerMessage.CaptureRows m -> new PeerMessage.CaptureRows(m.request(), written(m.rows()));
      case PeerMessage.CaptureParities m ->
          new PeerMessage.CaptureParities(m.request(), written(m.stripes()));
      case PeerMessage.CapturedParities m ->
          new PeerMessage.CapturedParities(
              m.request(), written(m.stripes()), written(m.counters()), written(m.values()));
      case PeerMessage.RepairRows m ->
          new PeerMessage.RepairRows(written(m.rows()), written(m.counters()), written(m.values()));
      default -> message;
    };
  }

  /** Something happens; false if there is nothing left that could. */
  private boolean step() {
    if (training && random.nextInt(3 * (map.r() + 1)) == 0) {
      updateOne();
      return true;
    }
    List<ArrayDeque<Runnable>> full = queues.stream().filter(queue -> !queue.isEmpty()).toList();
    if (full.isEmpty()) {
      return false;
    }
    full.get(random.nextInt(full.size())).remove().run();
    return true;
  }

  private void updateOne() {
    if (job.redundancy().nnReplicas() > 0 && random.nextInt(5) == 0) {
      int shard = random.nextInt(job.nnShards().count());
      servers.get(job.nnShards().primary(shard)).updateShard(shard);
    } else {
      // The odd half of the rows is never updated.
      long row = 2L * random.nextInt((int) (map.rows() / 2));
      servers.get(map.serverOfRow(row)).update(row);
    }
  }

  /** Updates random rows and shards and lets everything arrive. */
  void train(int updates) {
    for (int i = 0; i < updates; i++) {
      updateOne();
    }
    settle();
  }

  /** Lets everything arrive that is under way. */
  void settle() {
    boolean before = training;
    training = false;
    while (step()) {
      // Goes on.
    }
    training = before;
  }

  /** All servers look at everything; returns the sum of what they found. */
  Sum scrub(boolean repair) {
    answers.clear();
    long request = random.nextLong();
    int questions = 0;
    for (Server server : servers) {
      questions +=
          ask(
              server,
              new DataMessage.Scrub(
                  request + questions,
                  DataMessage.ScrubKind.PARITIES,
                  0,
                  map.parityCapacity(),
                  repair));
      if (job.redundancy().nnReplicas() > 0) {
        questions +=
            ask(
                server,
                new DataMessage.Scrub(
                    request + questions,
                    DataMessage.ScrubKind.NN_REPLICAS,
                    0,
                    job.nnShards().count(),
                    repair));
      }
    }
    for (int steps = 0; answers.size() < questions; steps++) {
      boolean moved = step();
      if (!moved || steps % 100 == 99) {
        pass(RETRY_NANOS / 10);
      }
      if (steps > 5_000_000) {
        throw new AssertionError(answers.size() + " of " + questions + " answers");
      }
    }
    return new Sum(answers);
  }

  private int ask(Server server, DataMessage.Scrub question) {
    try {
      server.scrubber.onScrub(READER, 1, question, nowNanos);
      return 1;
    } catch (RefusedException e) {
      throw new AssertionError(e);
    }
  }

  /** Time passes. */
  void pass(long nanos) {
    nowNanos += nanos;
    servers.forEach(server -> server.scrubber.tick(nowNanos));
  }

  /** Whether every parity is what its rows make it, at rest. */
  void requireConsistent(Consumer<String> problem) {
    for (Server holder : servers) {
      for (long place = 0; place < map.parityCapacity(); place++) {
        long stripe = map.stripeOfParityAt(holder.index, place);
        if (stripe >= map.stripes()) {
          continue;
        }
        MemorySegment expected = MemorySegment.ofArray(new byte[rowBytes]);
        for (int member = 0; member < map.k() && stripe * map.k() + member < map.rows(); member++) {
          long row = stripe * map.k() + member;
          Server owner = servers.get(map.serverOfRow(row));
          code.foldDifference(
              member,
              (int) (place % map.r()),
              owner.rows,
              map.indexOfRow(row) * rowBytes,
              expected,
              0,
              rowBytes);
          if (owner.counter(row) != holder.counter(place, member)) {
            problem.accept("counters of row " + row);
          }
        }
        if (MemorySegment.mismatch(
                expected,
                0,
                rowBytes,
                holder.parities,
                place * rowBytes,
                place * rowBytes + rowBytes)
            >= 0) {
          problem.accept("stripe " + stripe + " on server " + holder.index);
        }
      }
    }
  }

  /** What several answers came to. */
  static final class Sum {
    long compared;
    long rows;
    long wrong;
    long located;
    long repaired;
    double deviation;
    final List<String> members = new ArrayList<>();

    Sum(List<DataMessage.Scrubbed> answers) {
      for (DataMessage.Scrubbed answer : answers) {
        compared += answer.compared();
        rows += answer.rows();
        wrong += answer.wrong();
        located += answer.located();
        repaired += answer.repaired();
        deviation = Math.max(deviation, answer.deviation());
        long[] told = answer.members().segment().toArray(ValueLayout.JAVA_LONG_UNALIGNED);
        for (int i = 0; i < told.length; i += 2) {
          members.add(told[i] + "/" + told[i + 1]);
        }
      }
    }

    @Override
    public String toString() {
      return "compared %d, rows %d, wrong %d, located %d, repaired %d, deviation %e, %s"
          .formatted(compared, rows, wrong, located, repaired, deviation, members);
    }
  }

  @Override
  public void close() {
    servers.forEach(server -> server.scrubber.close());
    arena.close();
  }
}
