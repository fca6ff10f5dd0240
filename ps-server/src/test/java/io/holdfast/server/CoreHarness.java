package io.holdfast.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import io.holdfast.config.control.ControlMessage;
import io.holdfast.config.control.ServerControl;
import io.holdfast.config.job.JobSpec;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.placement.PlacementMap;
import io.holdfast.config.protocol.DataMessage;
import io.holdfast.config.protocol.DataRange;
import io.holdfast.config.protocol.Participants;
import io.holdfast.config.protocol.Payload;
import io.holdfast.config.protocol.RefusalReason;
import io.holdfast.config.protocol.TxHeader;
import io.holdfast.config.protocol.TxId;
import io.holdfast.config.transport.EndpointCounters;
import io.holdfast.server.storage.MemorySettings;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;

/** One server and what it answers. */
final class CoreHarness implements AutoCloseable {
  static final NodeId WORKER = NodeId.worker(0);
  static final NodeId READER = NodeId.reader(0);

  final JobSpec job;
  final PlacementMap map;
  final ServerCore core;
  private final int self;
  final ArrayDeque<DataMessage> sent = new ArrayDeque<>();
  final ArrayDeque<ControlMessage> told = new ArrayDeque<>();

  CoreHarness(JobSpec job, int server) {
    this.job = job;
    self = server;
    map = TestJobs.map(job);
    core =
        new ServerCore(
            NodeId.server(server),
            job,
            map,
            MemorySettings.DEFAULT,
            (to, message) -> sent.add(written(message)),
            told::add,
            new EndpointCounters());
  }

  /** What a link does: reads the payloads before send returns. */
  private static DataMessage written(DataMessage message) {
    return switch (message) {
      case DataMessage.Rows m -> new DataMessage.Rows(m.request(), written(m.values()));
      case DataMessage.ShardValues m ->
          new DataMessage.ShardValues(m.request(), m.shard(), m.version(), written(m.values()));
      case DataMessage.ExportedRows m ->
          new DataMessage.ExportedRows(
              m.request(),
              m.nextRow(),
              written(m.rows()),
              written(m.counters()),
              written(m.values()));
      case DataMessage.ExportedShard m ->
          new DataMessage.ExportedShard(m.request(), m.shard(), m.updates(), written(m.values()));
      default -> message;
    };
  }

  private static Payload written(Payload payload) {
    return Payload.of(MemorySegment.ofArray(TestJobs.bytes(payload)));
  }

  static TxId tx(int worker, long sequence) {
    return new TxId(NodeId.worker(worker), 200 + worker, sequence);
  }

  static DataRange range(long sequence) {
    return new DataRange(0, 0, 100 * sequence, 100 * sequence + 100, 8, 1);
  }

  static TxHeader header(int worker, long sequence, long watermark, int part, int parts) {
    return header(worker, sequence, watermark, 0, part, parts);
  }

  static TxHeader header(
      int worker, long sequence, long watermark, int owner, int part, int parts) {
    return new TxHeader(tx(worker, sequence), watermark, 0.5f, owner, range(sequence), part, parts);
  }

  /** Stages {@code gradient} for all weights of one row. */
  DataMessage.StageRows stageRow(
      TxHeader header, Participants participants, long row, float gradient) {
    return new DataMessage.StageRows(
        header,
        participants,
        Payload.of(TestJobs.ids(row)),
        Payload.of(TestJobs.fill(job.model().dim(), gradient)));
  }

  void onMessage(NodeId from, DataMessage message) {
    core.onMessage(from, message, 0);
  }

  /** Hands a message in and gives the one answer, or null. */
  DataMessage ask(NodeId from, DataMessage message) {
    assertEquals(0, sent.size(), "an answer was left over");
    onMessage(from, message);
    DataMessage answer = sent.poll();
    assertEquals(0, sent.size(), "there is more than one answer");
    return answer;
  }

  void expectRefused(RefusalReason reason, NodeId from, DataMessage message) {
    DataMessage answer = ask(from, message);
    assertEquals(reason, assertInstanceOf(DataMessage.Refused.class, answer).reason());
  }

  void expectNothing(NodeId from, DataMessage message) {
    assertEquals(null, ask(from, message));
  }

  void expectStaged(NodeId from, DataMessage.Stage message) {
    assertEquals(
        new DataMessage.Staged(message.header().tx(), message.header().owner()),
        ask(from, message));
  }

  void expectApplied(TxId tx, long watermark) {
    assertEquals(
        new DataMessage.Applied(tx, self),
        ask(tx.worker(), new DataMessage.Commit(tx, self, watermark)));
  }

  float[] pull(long... rows) {
    DataMessage answer = ask(READER, new DataMessage.Pull(1, Payload.of(TestJobs.ids(rows))));
    return TestJobs.floatsOf(assertInstanceOf(DataMessage.Rows.class, answer).values());
  }

  <T extends ControlMessage> T control(Class<T> type, ControlMessage message) {
    core.onControl(message, 0);
    T answer = assertInstanceOf(type, told.poll());
    assertEquals(0, told.size());
    return answer;
  }

  ServerControl.WorkerTransactions query(int worker) {
    return control(
        ServerControl.WorkerTransactions.class,
        new ServerControl.QueryWorker(NodeId.worker(worker), 200 + worker));
  }

  void resolve(int worker, Long... committed) {
    control(
        ServerControl.WorkerResolved.class,
        new ServerControl.ResolveWorker(
            NodeId.worker(worker), 200 + worker, java.util.List.of(committed)));
  }

  ServerControl.ServerStatistics statistics() {
    return control(ServerControl.ServerStatistics.class, new ServerControl.QueryStatistics());
  }

  @Override
  public void close() {
    core.close();
  }
}
