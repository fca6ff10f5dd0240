package io.holdfast.server;

import static io.holdfast.server.CoreHarness.READER;
import static io.holdfast.server.CoreHarness.WORKER;
import static io.holdfast.server.CoreHarness.header;
import static io.holdfast.server.CoreHarness.range;
import static io.holdfast.server.CoreHarness.tx;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.config.control.ServerControl;
import io.holdfast.config.control.ServerControl.RangeRecord;
import io.holdfast.config.job.JobSpec;
import io.holdfast.config.model.OptimizerKind;
import io.holdfast.config.placement.Epoch;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.placement.PlacementMap;
import io.holdfast.config.placement.StripeMap;
import io.holdfast.config.protocol.DataMessage;
import io.holdfast.config.protocol.DataRange;
import io.holdfast.config.protocol.Participants;
import io.holdfast.config.protocol.Payload;
import io.holdfast.config.protocol.RefusalReason;
import io.holdfast.config.protocol.ShardVersion;
import io.holdfast.config.protocol.TxHeader;
import io.holdfast.config.protocol.TxId;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ServerCoreTest {
  private static final int DIM = 4;
  private static final Participants ALONE = Participants.of(0);

  private static JobSpec job(int servers, long stagedBytesMax) {
    return TestJobs.job(
        TestJobs.model(DIM, 100, 200), OptimizerKind.SGD, servers, 2, stagedBytesMax);
  }

  private static CoreHarness single() {
    return new CoreHarness(job(1, 1 << 20), 0);
  }

  private static void assertMoved(float[] before, float[] after, float by) {
    for (int i = 0; i < before.length; i++) {
      assertEquals(before[i] - by, after[i], "weight " + i);
    }
  }

  // Order of messages

  @Test
  void shouldApplyAtCommitAndNotAtStage() {
    try (CoreHarness server = single()) {
      float[] before = server.pull(7);
      server.expectStaged(WORKER, server.stageRow(header(0, 1, 0, 0, 1), ALONE, 7, 2f));
      assertArrayEquals(before, server.pull(7));
      server.expectApplied(tx(0, 1), 0);
      assertMoved(before, server.pull(7), 1f);
    }
  }

  @Test
  void shouldTakePartsInAnyOrderAndAnswerWithTheLast() {
    try (CoreHarness server = single()) {
      float[] before = server.pull(7, 8, 9);
      server.expectNothing(WORKER, server.stageRow(header(0, 1, 0, 2, 3), ALONE, 9, 2f));
      server.expectNothing(WORKER, server.stageRow(header(0, 1, 0, 0, 3), ALONE, 7, 2f));
      server.expectNothing(WORKER, server.stageRow(header(0, 1, 0, 0, 3), ALONE, 7, 2f));
      server.expectStaged(WORKER, server.stageRow(header(0, 1, 0, 1, 3), ALONE, 8, 2f));
      server.expectStaged(WORKER, server.stageRow(header(0, 1, 0, 2, 3), ALONE, 9, 2f));
      server.expectApplied(tx(0, 1), 0);
      assertMoved(before, server.pull(7, 8, 9), 1f);
    }
  }

  @Test
  void shouldRefuseACommitBeforeAllPartsAreHere() {
    try (CoreHarness server = single()) {
      float[] before = server.pull(7);
      DataMessage commit = new DataMessage.Commit(tx(0, 1), 0, 0);
      server.expectRefused(RefusalReason.UNKNOWN_TRANSACTION, WORKER, commit);
      server.expectNothing(WORKER, server.stageRow(header(0, 1, 0, 0, 2), ALONE, 7, 2f));
      server.expectRefused(RefusalReason.UNKNOWN_TRANSACTION, WORKER, commit);
      assertArrayEquals(before, server.pull(7));
      server.expectStaged(WORKER, server.stageRow(header(0, 1, 0, 1, 2), ALONE, 8, 2f));
      server.expectApplied(tx(0, 1), 0);
      assertMoved(before, server.pull(7), 1f);
    }
  }

  @Test
  void shouldApplyOnceHoweverOftenItIsAsked() {
    try (CoreHarness server = single()) {
      float[] before = server.pull(7);
      DataMessage.Stage stage = server.stageRow(header(0, 1, 0, 0, 1), ALONE, 7, 2f);
      server.expectStaged(WORKER, stage);
      server.expectStaged(WORKER, stage);
      server.expectApplied(tx(0, 1), 0);
      server.expectApplied(tx(0, 1), 0);
      assertEquals(new DataMessage.Applied(tx(0, 1), 0), server.ask(WORKER, stage));
      server.expectApplied(tx(0, 1), 0);
      assertMoved(before, server.pull(7), 1f);
      assertEquals(1, server.statistics().transactions());
    }
  }

  @Test
  void shouldStayAppliedOnceTheWatermarkHasPassed() {
    try (CoreHarness server = single()) {
      DataMessage.Stage first = server.stageRow(header(0, 1, 0, 0, 1), ALONE, 7, 2f);
      server.expectStaged(WORKER, first);
      server.expectApplied(tx(0, 1), 0);
      server.expectStaged(WORKER, server.stageRow(header(0, 2, 1, 0, 1), ALONE, 8, 2f));
      float[] after = server.pull(7);
      assertEquals(new DataMessage.Applied(tx(0, 1), 0), server.ask(WORKER, first));
      server.expectApplied(tx(0, 1), 0);
      assertArrayEquals(after, server.pull(7));
      assertEquals(1, server.query(0).watermark());
    }
  }

  @Test
  void shouldRefuseAWatermarkThatContradictsItself() {
    try (CoreHarness server = single()) {
      server.expectStaged(WORKER, server.stageRow(header(0, 1, 0, 0, 1), ALONE, 7, 2f));
      server.expectRefused(
          RefusalReason.MALFORMED, WORKER, server.stageRow(header(0, 3, 3, 0, 1), ALONE, 8, 2f));
      server.expectRefused(
          RefusalReason.MALFORMED, WORKER, server.stageRow(header(0, 3, 2, 0, 1), ALONE, 8, 2f));
      server.expectRefused(RefusalReason.MALFORMED, WORKER, new DataMessage.Commit(tx(0, 1), 0, 1));
      server.expectApplied(tx(0, 1), 0);
    }
  }

  @Test
  void shouldKeepWorkersAndTheirSequencesApart() {
    try (CoreHarness server = single()) {
      float[] before = server.pull(7);
      for (int worker = 0; worker < 2; worker++) {
        server.expectStaged(
            NodeId.worker(worker), server.stageRow(header(worker, 1, 0, 0, 1), ALONE, 7, 2f));
      }
      server.expectApplied(tx(0, 1), 0);
      assertMoved(before, server.pull(7), 1f);
      server.expectApplied(tx(1, 1), 0);
      assertEquals(2, server.statistics().rowsUpdated());
    }
  }

  @Test
  void shouldApplyRowsAndShardsOfOneTransactionTogether() {
    try (CoreHarness server = single()) {
      ShardVersion initial =
          assertInstanceOf(
                  DataMessage.ShardValues.class,
                  server.ask(WORKER, new DataMessage.PullShard(1, 0, ShardVersion.NONE)))
              .version();
      assertEquals(new ShardVersion(new Epoch(1, 1), 0), initial);
      float[] row = server.pull(7);
      server.expectNothing(WORKER, server.stageRow(header(0, 1, 0, 0, 2), ALONE, 7, 2f));
      server.expectStaged(
          WORKER,
          new DataMessage.StageShard(
              header(0, 1, 0, 1, 2), ALONE, 0, Payload.of(TestJobs.fill(16, 4f))));
      DataMessage.ShardValues unchanged =
          assertInstanceOf(
              DataMessage.ShardValues.class,
              server.ask(WORKER, new DataMessage.PullShard(2, 0, initial)));
      assertEquals(0, unchanged.values().lengthBytes());
      float[] shard = shard(server, 3);
      server.expectApplied(tx(0, 1), 0);
      assertMoved(row, server.pull(7), 1f);
      assertMoved(shard, shard(server, 4), 2f);
    }
  }

  private static float[] shard(CoreHarness server, long request) {
    DataMessage.ShardValues values =
        assertInstanceOf(
            DataMessage.ShardValues.class,
            server.ask(WORKER, new DataMessage.PullShard(request, 0, ShardVersion.NONE)));
    return TestJobs.floatsOf(values.values());
  }

  // Fencing and termination

  @Test
  void shouldTellWhatItKnowsOfADeadWorker() {
    try (CoreHarness server = single()) {
      for (long sequence = 1; sequence <= 4; sequence++) {
        server.expectStaged(
            WORKER, server.stageRow(header(0, sequence, 0, 0, 1), ALONE, sequence, 2f));
      }
      server.expectNothing(WORKER, server.stageRow(header(0, 5, 0, 0, 2), ALONE, 5, 2f));
      server.expectApplied(tx(0, 1), 0);
      server.expectApplied(tx(0, 3), 1);
      ServerControl.WorkerTransactions known = server.query(0);
      assertEquals(1, known.watermark());
      assertEquals(List.of(3L), known.decided());
      assertEquals(List.of(2L, 4L, 5L), known.undecided());
      assertEquals(known, server.query(0));
    }
  }

  @Test
  void shouldRefuseAFencedWorkerForEver() {
    try (CoreHarness server = single()) {
      DataMessage.Stage stage = server.stageRow(header(0, 1, 0, 0, 1), ALONE, 7, 2f);
      server.expectStaged(WORKER, stage);
      DataMessage commit = new DataMessage.Commit(tx(0, 1), 0, 0);
      server.query(0);
      server.expectRefused(RefusalReason.ABORTED, WORKER, commit);
      server.expectRefused(RefusalReason.ABORTED, WORKER, stage);
      server.resolve(0);
      server.expectRefused(RefusalReason.ABORTED, WORKER, commit);
      server.expectRefused(
          RefusalReason.ABORTED, WORKER, server.stageRow(header(0, 2, 0, 0, 1), ALONE, 7, 2f));
      assertEquals(4, server.core.refused(RefusalReason.ABORTED));
      assertEquals(4, server.statistics().framesRefused());
      // The other worker goes on.
      server.expectStaged(NodeId.worker(1), server.stageRow(header(1, 1, 0, 0, 1), ALONE, 7, 2f));
    }
  }

  @Test
  void shouldCommitWhatIsListedAndDropTheRest() {
    try (CoreHarness server = single()) {
      float[] before = server.pull(1, 2, 3);
      for (long sequence = 1; sequence <= 3; sequence++) {
        server.expectStaged(
            WORKER, server.stageRow(header(0, sequence, 0, 0, 1), ALONE, sequence, 2f));
      }
      server.query(0);
      // 9 has no part here.
      for (int repeated = 0; repeated < 3; repeated++) {
        server.resolve(0, 2L, 9L);
        float[] after = server.pull(1, 2, 3);
        for (int i = 0; i < after.length; i++) {
          assertEquals(before[i] - (i / DIM == 1 ? 1f : 0f), after[i]);
        }
        ServerControl.WorkerTransactions known = server.query(0);
        assertEquals(List.of(2L), known.decided(), "another coordinator may ask again");
        assertEquals(List.of(), known.undecided());
      }
      assertEquals(1, server.statistics().transactions());
    }
  }

  @Test
  void shouldFenceAWorkerThatItNeverHeardOf() {
    try (CoreHarness server = single()) {
      ServerControl.WorkerTransactions known = server.query(1);
      assertEquals(0, known.watermark());
      assertEquals(List.of(), known.decided());
      assertEquals(List.of(), known.undecided());
      server.resolve(1);
      server.expectRefused(
          RefusalReason.ABORTED,
          NodeId.worker(1),
          server.stageRow(header(1, 1, 0, 0, 1), ALONE, 7, 2f));
    }
  }

  @Test
  void shouldStopRatherThanCommitWhatIsNotWhollyHere() {
    try (CoreHarness server = single()) {
      server.expectNothing(WORKER, server.stageRow(header(0, 1, 0, 0, 2), ALONE, 7, 2f));
      IllegalStateException error =
          assertThrows(IllegalStateException.class, () -> server.resolve(0, 1L));
      assertTrue(error.getMessage().contains("worker-0"), error.getMessage());
    }
  }

  @Test
  void shouldRefuseWorkersThatTheMapDoesNotName() {
    try (CoreHarness server = single()) {
      PlacementMap next = server.map.without(WORKER);
      assertEquals(
          new Epoch(1, 2),
          server
              .control(ServerControl.EpochAdopted.class, new ServerControl.AdoptEpoch(next))
              .epoch());
      server.expectRefused(
          RefusalReason.ABORTED, WORKER, server.stageRow(header(0, 1, 0, 0, 1), ALONE, 7, 2f));
      // An older map changes nothing.
      assertEquals(
          new Epoch(1, 2),
          server
              .control(ServerControl.EpochAdopted.class, new ServerControl.AdoptEpoch(server.map))
              .epoch());
      server.expectRefused(
          RefusalReason.ABORTED, WORKER, server.stageRow(header(0, 1, 0, 0, 1), ALONE, 7, 2f));
      TxHeader restarted =
          new TxHeader(new TxId(NodeId.worker(1), 999, 1), 0, 0.5f, 0, range(1), 0, 1);
      server.expectRefused(
          RefusalReason.ABORTED, NodeId.worker(1), server.stageRow(restarted, ALONE, 7, 2f));
    }
  }

  // Memory

  @Test
  void shouldNotLetPartsOfATransactionBlockItsRest() {
    // 320 bytes a worker. One row takes 128 of them, eight rows take 192.
    try (CoreHarness server = new CoreHarness(job(1, 640), 0)) {
      DataMessage.StageRows small = server.stageRow(header(0, 2, 0, 1, 2), ALONE, 90, 2f);
      DataMessage.StageRows large =
          new DataMessage.StageRows(
              header(0, 2, 0, 0, 2),
              ALONE,
              Payload.of(TestJobs.ids(10, 11, 12, 13, 14, 15, 16, 17)),
              Payload.of(TestJobs.fill(8 * DIM, 1f)));
      server.expectStaged(WORKER, server.stageRow(header(0, 1, 0, 0, 1), ALONE, 1, 2f));
      server.expectNothing(WORKER, small);
      server.expectApplied(tx(0, 1), 0);
      // 192 bytes are free, but not in one piece.
      server.expectRefused(RefusalReason.BUSY, WORKER, large);
      server.expectNothing(WORKER, large);
      server.expectStaged(WORKER, small);
      assertEquals(320, server.core.stagedBytes());
      server.expectApplied(tx(0, 2), 0);
      assertEquals(0, server.core.stagedBytes());
    }
  }

  @Test
  void shouldBoundStagedMemoryAndServeAWorkersTransactionsInOrder() {
    // Two workers, 256 bytes each; a staged row takes a block of 64 + 64 bytes.
    try (CoreHarness server = new CoreHarness(job(1, 512), 0)) {
      List<DataMessage.StageRows> stages = new ArrayList<>();
      for (long sequence = 1; sequence <= 5; sequence++) {
        stages.add(server.stageRow(header(0, sequence, 0, 0, 1), ALONE, sequence, 2f));
      }
      server.expectStaged(WORKER, stages.get(0));
      server.expectStaged(WORKER, stages.get(1));
      server.expectRefused(RefusalReason.BUSY, WORKER, stages.get(2));
      server.expectRefused(RefusalReason.BUSY, WORKER, stages.get(3));
      // The other worker does not wait for this one.
      server.expectStaged(NodeId.worker(1), server.stageRow(header(1, 1, 0, 0, 1), ALONE, 7, 2f));
      server.expectApplied(tx(0, 2), 0);
      // There is memory, but an older transaction waits for it.
      server.expectRefused(RefusalReason.BUSY, WORKER, stages.get(3));
      server.expectRefused(RefusalReason.BUSY, WORKER, stages.get(4));
      server.expectStaged(WORKER, stages.get(2));
      server.expectApplied(tx(0, 1), 0);
      server.expectApplied(tx(0, 3), 0);
      server.expectStaged(WORKER, stages.get(3));
      server.expectStaged(WORKER, stages.get(4));
      assertEquals(384, server.statistics().stagedBytesPeak());
      assertEquals(4, server.core.refused(RefusalReason.BUSY));
    }
  }

  @Test
  void shouldRefuseATransactionThatCanNeverFit() {
    try (CoreHarness server = new CoreHarness(job(1, 512), 0)) {
      server.expectNothing(WORKER, server.stageRow(header(0, 1, 0, 0, 3), ALONE, 1, 2f));
      server.expectNothing(WORKER, server.stageRow(header(0, 1, 0, 1, 3), ALONE, 2, 2f));
      server.expectRefused(
          RefusalReason.MALFORMED, WORKER, server.stageRow(header(0, 1, 0, 2, 3), ALONE, 3, 2f));
    }
  }

  @Test
  void shouldFreeTheMemoryOfADeadWorker() {
    try (CoreHarness server = new CoreHarness(job(1, 512), 0)) {
      server.expectStaged(WORKER, server.stageRow(header(0, 1, 0, 0, 1), ALONE, 1, 2f));
      server.resolve(0);
      for (long sequence = 1; sequence <= 2; sequence++) {
        server.expectStaged(
            NodeId.worker(1), server.stageRow(header(1, sequence, 0, 0, 1), ALONE, 7, 2f));
      }
      assertEquals(256, server.statistics().stagedBytesPeak());
    }
  }

  // Data ranges

  @Test
  void shouldRecordRangesOfCommittedTransactionsOnly() {
    try (CoreHarness server = single()) {
      for (long sequence : new long[] {2, 1, 4, 3}) {
        server.expectStaged(WORKER, server.stageRow(header(0, sequence, 0, 0, 1), ALONE, 7, 2f));
      }
      for (long sequence : new long[] {4, 1, 2}) {
        server.expectApplied(tx(0, sequence), 0);
        server.expectApplied(tx(0, sequence), 0);
      }
      assertEquals(
          List.of(
              new RangeRecord(new DataRange(0, 0, 100, 300, 16, 2), 2),
              new RangeRecord(new DataRange(0, 0, 400, 500, 8, 1), 1)),
          server
              .control(ServerControl.CommittedRanges.class, new ServerControl.QueryRanges(1))
              .ranges());
    }
  }

  @Test
  void shouldRecordEachRangeOnExactlyOneParticipant() {
    JobSpec job = job(3, 1 << 20);
    StripeMap stripes = job.stripeMap();
    Participants all = Participants.of(0, 1, 2);
    long iterations = 0;
    for (int i = 0; i < 3; i++) {
      try (CoreHarness server = new CoreHarness(job, i)) {
        long row = 0;
        while (stripes.serverOfRow(row) != i) {
          row++;
        }
        for (long sequence = 1; sequence <= 9; sequence++) {
          server.expectStaged(
              WORKER, server.stageRow(header(0, sequence, 0, i, 0, 1), all, row, 2f));
          server.expectApplied(tx(0, sequence), 0);
        }
        for (RangeRecord record :
            server
                .control(ServerControl.CommittedRanges.class, new ServerControl.QueryRanges(1))
                .ranges()) {
          iterations += record.iterations();
        }
      }
    }
    assertEquals(9, iterations);
  }

  // Reading

  @Test
  void shouldExportInMessagesOfBoundedLength() {
    try (CoreHarness server = single()) {
      long[] rows = new long[300];
      for (int i = 0; i < rows.length; i++) {
        rows[i] = i;
      }
      server.expectStaged(
          WORKER,
          new DataMessage.StageRows(
              header(0, 1, 0, 0, 1),
              ALONE,
              Payload.of(TestJobs.ids(rows)),
              Payload.of(TestJobs.fill(300 * DIM, 1f))));
      server.expectApplied(tx(0, 1), 0);
      DataMessage.ExportedRows all = export(server, 0, 300);
      assertEquals(300, all.nextRow());
      assertEquals(300 * 8, all.rows().lengthBytes());
      assertEquals(300 * 4 * DIM, all.values().lengthBytes());
      assertArrayEquals(server.pull(rows), TestJobs.floatsOf(all.values()));
      DataMessage.ExportedRows some = export(server, 17, 20);
      assertEquals(20, some.nextRow());
      assertArrayEquals(
          new long[] {17, 18, 19},
          some.rows().segment().toArray(java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED));
      assertEquals(0, export(server, 300, 300).rows().lengthBytes());
    }
  }

  private static DataMessage.ExportedRows export(CoreHarness server, long from, long to) {
    DataMessage answer = server.ask(READER, new DataMessage.Export(1, 0, from, to));
    return assertInstanceOf(DataMessage.ExportedRows.class, answer);
  }

  @Test
  void shouldExportShardsWithTheirState() {
    JobSpec job = TestJobs.job(TestJobs.model(DIM, 10), OptimizerKind.MOMENTUM, 1, 1, 1 << 20);
    try (CoreHarness server = new CoreHarness(job, 0)) {
      server.expectStaged(
          WORKER,
          new DataMessage.StageShard(
              header(0, 1, 0, 0, 1), ALONE, 1, Payload.of(TestJobs.fill(16, 4f))));
      server.expectApplied(tx(0, 1), 0);
      DataMessage.ExportedShard shard =
          assertInstanceOf(
              DataMessage.ExportedShard.class,
              server.ask(READER, new DataMessage.ExportShard(1, 1)));
      assertEquals(1, shard.updates());
      float[] values = TestJobs.floatsOf(shard.values());
      assertEquals(32, values.length);
      assertEquals(4f, values[16]);
      try (CoreHarness other = new CoreHarness(job, 0)) {
        assertTrue(other.core.nn().importShard(1, 1, MemorySegment.ofArray(values)));
        DataMessage.ExportedShard copy =
            assertInstanceOf(
                DataMessage.ExportedShard.class,
                other.ask(READER, new DataMessage.ExportShard(1, 1)));
        assertEquals(1, copy.updates());
        assertArrayEquals(values, TestJobs.floatsOf(copy.values()));
      }
    }
  }

  // Bad messages

  @Test
  void shouldRefuseWhatDoesNotFitTheModel() {
    try (CoreHarness server = single()) {
      Payload one = Payload.of(TestJobs.ids(1));
      Payload gradient = Payload.of(TestJobs.fill(DIM, 1f));
      TxHeader header = header(0, 1, 0, 0, 1);
      Payload beyond = Payload.of(TestJobs.ids(300));
      List<DataMessage> malformed =
          List.of(
              new DataMessage.Pull(1, beyond),
              new DataMessage.Pull(1, Payload.of(TestJobs.ids(-1))),
              new DataMessage.PullShard(1, -1, ShardVersion.NONE),
              new DataMessage.PullShard(1, 1000, ShardVersion.NONE),
              new DataMessage.Export(1, 0, -1, 5),
              new DataMessage.Export(1, 0, 5, 301),
              new DataMessage.ExportShard(1, Integer.MIN_VALUE),
              new DataMessage.StageRows(header, ALONE, beyond, gradient),
              new DataMessage.StageRows(header, ALONE, one, Payload.EMPTY),
              new DataMessage.StageRows(header, ALONE, one, Payload.of(TestJobs.fill(DIM + 1, 1f))),
              new DataMessage.StageShard(header, ALONE, 0, gradient),
              new DataMessage.StageShard(header, ALONE, 99, gradient),
              new DataMessage.StageRows(header(0, 1, 0, 3, 3), ALONE, one, gradient),
              new DataMessage.StageRows(header(0, 1, 0, -1, 3), ALONE, one, gradient),
              new DataMessage.StageRows(
                  header(0, 1, 0, 0, Integer.MAX_VALUE), ALONE, one, gradient),
              new DataMessage.StageRows(header(0, 0, 0, 0, 1), ALONE, one, gradient),
              new DataMessage.StageRows(header, Participants.of(0, 1), one, gradient),
              new DataMessage.StageRows(header, Participants.of(0, 0), one, gradient),
              new DataMessage.StageRows(header, Participants.of(-1, 0), one, gradient),
              new DataMessage.StageRows(
                  new TxHeader(tx(0, 1), 0, 0.5f, 0, new DataRange(0, 0, 5, 4, 1, 0), 0, 1),
                  ALONE,
                  one,
                  gradient),
              new DataMessage.Commit(tx(0, 0), 0, 0),
              new DataMessage.Commit(tx(1, 1), 0, 0));
      for (DataMessage message : malformed) {
        server.expectRefused(RefusalReason.MALFORMED, WORKER, message);
      }
      assertEquals(malformed.size(), server.core.refused(RefusalReason.MALFORMED));
      server.expectRefused(RefusalReason.MALFORMED, READER, server.stageRow(header, ALONE, 1, 1f));
      assertEquals(0, server.statistics().stagedBytesPeak());
    }
  }

  @Test
  void shouldRefusePartsThatContradictEachOther() {
    try (CoreHarness server = single()) {
      server.expectNothing(WORKER, server.stageRow(header(0, 1, 0, 0, 2), ALONE, 7, 2f));
      List<TxHeader> others =
          List.of(
              header(0, 1, 0, 1, 3),
              new TxHeader(tx(0, 1), 0, 0.25f, 0, range(1), 1, 2),
              new TxHeader(tx(0, 1), 0, 0.5f, 0, range(2), 1, 2));
      for (TxHeader other : others) {
        server.expectRefused(RefusalReason.MALFORMED, WORKER, server.stageRow(other, ALONE, 8, 2f));
      }
      server.expectStaged(WORKER, server.stageRow(header(0, 1, 0, 1, 2), ALONE, 8, 2f));
    }
  }

  @Test
  void shouldRefuseWhatAnotherServerOwns() {
    JobSpec job = job(3, 1 << 20);
    StripeMap stripes = job.stripeMap();
    try (CoreHarness server = new CoreHarness(job, 0)) {
      long foreign = 0;
      while (stripes.serverOfRow(foreign) == 0) {
        foreign++;
      }
      server.expectRefused(
          RefusalReason.NOT_OWNER,
          READER,
          new DataMessage.Pull(1, Payload.of(TestJobs.ids(foreign))));
      server.expectRefused(
          RefusalReason.NOT_OWNER,
          WORKER,
          server.stageRow(header(0, 1, 0, 0, 1), Participants.of(0, 1, 2), foreign, 1f));
      server.expectRefused(
          RefusalReason.NOT_OWNER,
          WORKER,
          server.stageRow(header(0, 1, 0, 0, 1), Participants.of(1, 2), foreign, 1f));
      server.expectRefused(
          RefusalReason.NOT_OWNER, WORKER, new DataMessage.PullShard(1, 1, ShardVersion.NONE));
    }
  }

  @Test
  void shouldNeverAnswerAnAnswer() {
    try (CoreHarness server = single()) {
      List<DataMessage> answers =
          List.of(
              new DataMessage.Refused(1, RefusalReason.BUSY),
              new DataMessage.Staged(tx(0, 1), 0),
              new DataMessage.Applied(tx(0, 1), 0),
              new DataMessage.Rows(1, Payload.EMPTY),
              new DataMessage.ShardValues(1, 0, ShardVersion.NONE, Payload.EMPTY));
      for (DataMessage answer : answers) {
        server.expectNothing(NodeId.server(0), answer);
      }
      // A refusal is what a peer in another epoch rightly says to an answer of ours.
      assertEquals(answers.size() - 1, server.statistics().framesRefused());
    }
  }

  @Test
  void shouldRefuseAnAnswerThatTheLinkCannotCarry() {
    JobSpec job = job(1, 1 << 20);
    List<DataMessage> sent = new ArrayList<>();
    try (ServerCore core =
        new ServerCore(
            NodeId.server(0),
            job,
            TestJobs.map(job),
            io.holdfast.server.storage.MemorySettings.DEFAULT,
            (to, message) -> {
              if (message instanceof DataMessage.Rows) {
                throw new IllegalArgumentException("too long");
              }
              sent.add(message);
            },
            told -> {},
            new io.holdfast.config.transport.EndpointCounters())) {
      core.onMessage(READER, new DataMessage.Pull(5, Payload.of(TestJobs.ids(1))), 0);
      assertEquals(List.of(new DataMessage.Refused(5, RefusalReason.MALFORMED)), sent);
    }
  }

  @Test
  void shouldLiveThroughArbitraryMessages() {
    long seed = 20261103;
    Random random = new Random(seed);
    try (CoreHarness server = new CoreHarness(job(1, 4096), 0)) {
      float[] untouched = server.pull(299);
      for (int i = 0; i < 20_000; i++) {
        DataMessage message = arbitrary(random);
        NodeId from = random.nextInt(10) == 0 ? READER : NodeId.worker(random.nextInt(2));
        try {
          server.onMessage(from, message);
        } catch (RuntimeException e) {
          throw new AssertionError("seed " + seed + ", message " + i + ": " + message, e);
        }
        server.sent.clear();
      }
      assertArrayEquals(untouched, server.pull(299));
      assertNotEquals(0, server.core.refused(RefusalReason.MALFORMED));
      assertTrue(server.statistics().transactions() > 0, "some of it makes sense");
      assertTrue(server.statistics().stagedBytesPeak() <= 4096);
    }
  }

  private static DataMessage arbitrary(Random random) {
    TxId tx =
        new TxId(
            NodeId.worker(random.nextInt(2)),
            200 + random.nextInt(2),
            random.nextInt(8) == 0 ? random.nextLong() : random.nextInt(60));
    int parts = random.nextInt(1, 3);
    TxHeader header =
        new TxHeader(
            tx,
            random.nextInt(4) == 0 ? random.nextInt(70) : 0,
            0.5f,
            random.nextInt(12) == 0 ? random.nextInt() : 0,
            range(1),
            random.nextInt(parts),
            random.nextInt(20) == 0 ? random.nextInt() : parts);
    Participants participants =
        random.nextInt(9) == 0
            ? Participants.of(random.nextInt(3), random.nextInt())
            : Participants.of(0);
    Payload rows = Payload.of(TestJobs.ids(random.nextLong(-1, 299), random.nextLong(299)));
    int floats = random.nextInt(5) == 0 ? random.nextInt(40) : 2 * DIM;
    Payload gradients = Payload.of(TestJobs.fill(floats, 1f));
    int shard = random.nextInt(-1, 5);
    return switch (random.nextInt(8)) {
      case 0 -> new DataMessage.Pull(random.nextLong(), rows);
      case 1 -> new DataMessage.PullShard(1, shard, new ShardVersion(Epoch.NONE, 3));
      case 2, 3 -> new DataMessage.StageRows(header, participants, rows, gradients);
      case 4 ->
          new DataMessage.StageShard(
              header, participants, shard, Payload.of(TestJobs.fill(random.nextInt(18), 1f)));
      case 5 -> new DataMessage.Commit(tx, 0, random.nextInt(3) == 0 ? random.nextInt(70) : 0);
      case 6 -> new DataMessage.Export(1, 0, random.nextLong(-2, 302), random.nextLong(-2, 302));
      default -> new DataMessage.ExportShard(1, shard);
    };
  }
}
