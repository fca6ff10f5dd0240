package io.holdfast.worker;

import static io.holdfast.worker.ScriptedWorker.INCARNATION;
import static io.holdfast.worker.ScriptedWorker.NODE;
import static io.holdfast.worker.ScriptedWorker.lease;
import static io.holdfast.worker.ScriptedWorker.servers;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.config.control.WorkerControl.CommitGranted;
import io.holdfast.config.control.WorkerControl.LeaseClosed;
import io.holdfast.config.control.WorkerControl.LeaseDone;
import io.holdfast.config.control.WorkerControl.LeaseGranted;
import io.holdfast.config.control.WorkerControl.NoMoreData;
import io.holdfast.config.control.WorkerControl.RequestLease;
import io.holdfast.config.control.WorkerControl.StepDone;
import io.holdfast.config.control.WorkerControl.StepOpened;
import io.holdfast.config.control.WorkerControl.StepReady;
import io.holdfast.config.control.WorkerControl.StepStart;
import io.holdfast.config.job.JobSpec;
import io.holdfast.config.job.SyncMode;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.protocol.DataMessage;
import io.holdfast.config.protocol.RefusalReason;
import io.holdfast.worker.ScriptedWorker.Sent;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class WorkerCoreTest {
  private static final long RETRY = 1_000_000;
  private static final long MANY = Long.MAX_VALUE;

  /** Two tables of 100 rows; 256 bytes of a row, so that four fit into a message of 1 KiB. */
  private static JobSpec job(SyncMode sync, int staleness, boolean deterministic, int window) {
    return TestJobs.job(TestJobs.model(2, 100, 64), 2, 8, sync, staleness, deterministic, window);
  }

  private ScriptedWorker worker = new ScriptedWorker(job(SyncMode.ASYNC, 0, false, 2));

  private void restart(JobSpec job) {
    worker.close();
    worker = new ScriptedWorker(job);
  }

  @AfterEach
  void close() {
    worker.close();
  }

  private static int[] ids(int first, int second) {
    return new int[] {first, second};
  }

  private static int[][] sixSamples() {
    return new int[][] {ids(0, 0), ids(1, 1), ids(2, 2), ids(3, 3), ids(4, 4), ids(5, 5)};
  }

  // Pulling.

  @Test
  void shouldCutPullsToTheMessageSize() {
    worker.grant(lease(1, 0, 100, MANY));
    worker.read(0, 10, 0, sixSamples());
    int rows = 0;
    Set<Long> requests = new HashSet<>();
    Set<Integer> shards = new HashSet<>();
    for (Sent each : worker.takeSent()) {
      switch (each.message()) {
        case DataMessage.Pull pull -> {
          assertTrue(pull.count() >= 1 && pull.count() <= 4, "rows: " + pull.count());
          rows += pull.count();
          assertTrue(requests.add(pull.request()));
        }
        case DataMessage.PullShard pull -> {
          assertEquals(worker.job.nnShards().primary(pull.shard()), each.to().index());
          assertTrue(shards.add(pull.shard()));
          assertTrue(requests.add(pull.request()));
        }
        default -> throw new AssertionError(each.toString());
      }
    }
    assertEquals(12, rows);
    assertEquals(worker.job.nnShards().count(), shards.size());
  }

  @Test
  void shouldComputeOnceEveryPullIsAnsweredHoweverOftenItIs() {
    worker.grant(lease(1, 0, 100, MANY));
    worker.read(0, 10, 0, ids(1, 1), ids(2, 2));
    List<Sent> pulls = worker.takeSent();
    worker.answer(pulls.subList(0, pulls.size() - 1));
    worker.answer(pulls.subList(0, pulls.size() - 1));
    assertEquals(0, worker.computes.size());
    worker.answer(pulls);
    assertEquals(1, worker.computes.size());
    worker.answer(pulls);
    assertEquals(1, worker.computes.size());
  }

  @Test
  void shouldNotTakeAnAnswerOfAnotherLength() {
    worker.grant(lease(1, 0, 100, MANY));
    worker.read(0, 10, 0, ids(1, 1), ids(2, 2));
    List<Sent> pulls = worker.takeSent();
    for (Sent each : pulls) {
      if (each.message() instanceof DataMessage.Pull pull) {
        worker.message(each.to(), new DataMessage.Rows(pull.request(), ScriptedWorker.zeros(4)));
      } else if (each.message() instanceof DataMessage.PullShard pull) {
        worker.message(
            each.to(),
            new DataMessage.ShardValues(
                pull.request(), pull.shard(), pull.known(), ScriptedWorker.zeros(4)));
      }
    }
    assertEquals(0, worker.computes.size());
    worker.answer(pulls);
    assertEquals(1, worker.computes.size());
  }

  @Test
  void shouldAskAgainOnlyWhatWasNotAnswered() {
    worker.grant(lease(1, 0, 100, MANY));
    worker.read(0, 10, 0, ids(1, 1), ids(2, 2));
    List<Sent> pulls = worker.takeSent();
    worker.answer(pulls.subList(1, pulls.size()));
    worker.pass(RETRY - 1);
    assertEquals(List.of(), worker.takeSent());
    worker.pass(1);
    List<Sent> again = worker.takeSent();
    assertEquals(1, again.size());
    assertEquals(pulls.getFirst().to(), again.getFirst().to());
    worker.answer(again);
    assertEquals(1, worker.computes.size());
  }

  @Test
  void shouldAskSoonAgainWhatAServerInAnotherEpochRefused() {
    worker.grant(lease(1, 0, 100, MANY));
    worker.read(0, 10, 0, ids(1, 1));
    Sent first = worker.takeSent().getFirst();
    worker.refuse(
        first.to().index(),
        ((DataMessage.Pull) first.message()).request(),
        RefusalReason.STALE_EPOCH);
    worker.pass(RETRY / 16);
    assertFalse(worker.takeSent().isEmpty());
  }

  @Test
  void shouldKnowTheShardsThatItPulledBefore() {
    restart(job(SyncMode.ASYNC, 0, false, 1));
    worker.grant(lease(1, 0, 100, MANY));
    for (int i = 0; i < 2; i++) { // Each of the two iterations has its own copy.
      worker.trainUpToStage(10L * i, 10L * i + 10, ids(1, 1));
      worker.commitEverywhere(i + 1);
    }
    worker.takeSent();
    worker.read(20, 30, 0, ids(1, 1));
    List<DataMessage.PullShard> pulls = worker.takeSent(DataMessage.PullShard.class);
    assertEquals(worker.job.nnShards().count(), pulls.size());
    assertTrue(pulls.stream().allMatch(pull -> pull.known().counter() == 3));
  }

  // Two-phase commit.

  @Test
  void shouldStageItsPartsAndCommitOnceAllAreStaged() {
    worker.grant(lease(1, 0, 100, MANY));
    worker.trainUpToStage(0, 10, sixSamples());
    List<Sent> staged = worker.takeSent();
    int rows = 0;
    for (int server = 0; server < 2; server++) {
      Set<Integer> parts = new TreeSet<>();
      int declared = 0;
      for (Sent each : staged) {
        if (each.to().index() == server) {
          DataMessage.Stage stage = (DataMessage.Stage) each.message();
          assertEquals(ScriptedWorker.tx(1), stage.header().tx());
          assertEquals(2, stage.participants().count());
          assertEquals(0, stage.header().range().from());
          declared = stage.header().parts();
          assertTrue(parts.add(stage.header().part()));
          rows += stage instanceof DataMessage.StageRows m ? m.count() : 0;
        }
      }
      assertEquals(declared, parts.size());
      assertEquals(declared - 1, ((TreeSet<Integer>) parts).last());
    }
    assertEquals(12, rows);
    worker.staged(0, 1);
    worker.staged(0, 1);
    assertEquals(List.of(), worker.takeSent());
    worker.staged(1, 1);
    assertEquals(
        List.of(
            new Sent(NodeId.server(0), new DataMessage.Commit(ScriptedWorker.tx(1), 0, 0)),
            new Sent(NodeId.server(1), new DataMessage.Commit(ScriptedWorker.tx(1), 1, 0))),
        worker.takeSent());
    worker.applied(0, 1);
    worker.applied(0, 1);
    assertEquals(0, worker.core.iterationsApplied());
    worker.applied(1, 1);
    assertEquals(1, worker.core.iterationsApplied());
    assertEquals(6, worker.core.samples());
    worker.applied(1, 1);
    assertEquals(1, worker.core.iterationsApplied());
  }

  @Test
  void shouldIgnoreAnswersToAnotherIncarnation() {
    worker.grant(lease(1, 0, 100, MANY));
    worker.trainUpToStage(0, 10, ids(1, 1));
    worker.takeSent();
    for (int server = 0; server < 2; server++) {
      worker.message(
          NodeId.server(server),
          new DataMessage.Staged(
              new io.holdfast.config.protocol.TxId(NODE, INCARNATION + 1, 1), 0));
    }
    assertEquals(List.of(), worker.takeSent());
  }

  @Test
  void shouldNotTakeAppliedBeforeItDecided() {
    worker.grant(lease(1, 0, 100, MANY));
    worker.trainUpToStage(0, 10, ids(1, 1));
    worker.applied(0, 1);
    worker.applied(1, 1);
    assertEquals(0, worker.core.iterationsApplied());
  }

  @Test
  void shouldRepeatStageAndCommitOnlyWhereTheyWereNotAnswered() {
    worker.grant(lease(1, 0, 100, MANY));
    worker.trainUpToStage(0, 10, ids(1, 1));
    worker.takeSent();
    worker.staged(0, 1);
    worker.pass(RETRY - 1);
    assertEquals(List.of(), worker.takeSent());
    worker.pass(1);
    assertEquals(Set.of(1), servers(worker.takeSent(), DataMessage.Stage.class));
    worker.staged(1, 1);
    worker.takeSent();
    worker.applied(1, 1);
    worker.pass(RETRY);
    List<Sent> again = worker.takeSent();
    assertEquals(Set.of(0), servers(again, DataMessage.Commit.class));
    assertEquals(1, again.size());
    worker.applied(0, 1);
    worker.pass(10 * RETRY);
    assertEquals(List.of(), worker.takeSent());
  }

  @Test
  void shouldStageSoonAgainWhereAServerIsBusy() {
    worker.grant(lease(1, 0, 100, MANY));
    worker.trainUpToStage(0, 10, ids(1, 1));
    worker.takeSent();
    worker.staged(0, 1);
    worker.refuse(1, 1, RefusalReason.BUSY);
    assertEquals(List.of(), worker.takeSent(), "not at once");
    worker.pass(RETRY / 16);
    assertEquals(Set.of(1), servers(worker.takeSent(), DataMessage.Stage.class));
    worker.staged(1, 1);
    assertEquals(Set.of(0, 1), servers(worker.takeSent(), DataMessage.Commit.class));
  }

  @Test
  void shouldStandByItsDecisionWhenAServerForgot() {
    worker.grant(lease(1, 0, 100, MANY));
    worker.trainUpToStage(0, 10, ids(1, 1));
    worker.staged(0, 1);
    worker.staged(1, 1);
    worker.takeSent();
    worker.applied(0, 1);
    worker.refuse(1, 1, RefusalReason.UNKNOWN_TRANSACTION);
    worker.pass(1);
    List<Sent> again = worker.takeSent();
    assertEquals(Set.of(1), servers(again, DataMessage.Stage.class));
    assertEquals(Set.of(), servers(again, DataMessage.Commit.class));
    worker.staged(1, 1);
    again = worker.takeSent();
    assertEquals(Set.of(1), servers(again, DataMessage.Commit.class));
    assertEquals(1, again.size());
    worker.applied(1, 1);
    assertEquals(1, worker.core.iterationsApplied());
  }

  @Test
  void shouldTakeAppliedAsTheAnswerToAStageThatItRepeats() {
    worker.grant(lease(1, 0, 100, MANY));
    worker.trainUpToStage(0, 10, ids(1, 1));
    worker.staged(0, 1);
    worker.staged(1, 1);
    worker.refuse(1, 1, RefusalReason.UNKNOWN_TRANSACTION);
    worker.pass(1);
    worker.applied(1, 1);
    worker.applied(0, 1);
    assertEquals(1, worker.core.iterationsApplied());
  }

  @Test
  void shouldGiveUpWhenItIsFencedOrMisunderstood() {
    worker.grant(lease(1, 0, 100, MANY));
    worker.trainUpToStage(0, 10, ids(1, 1));
    worker.refuse(0, 1, RefusalReason.ABORTED);
    assertEquals(List.of(FailureKind.FENCED), worker.failures);
    worker.refuse(0, 1, RefusalReason.MALFORMED);
    worker.refuse(0, 1, RefusalReason.NOT_OWNER);
    assertEquals(
        List.of(FailureKind.FENCED, FailureKind.INTERNAL, FailureKind.INTERNAL), worker.failures);
  }

  @Test
  void shouldRaiseTheWatermarkOnlyOverWhatIsAppliedWithoutAGap() {
    worker.grant(lease(1, 0, 100, MANY));
    worker.trainUpToStage(0, 10, ids(1, 1));
    worker.trainUpToStage(10, 20, ids(2, 2));
    worker.staged(0, 1);
    worker.staged(1, 1);
    worker.commitEverywhere(2);
    assertTrue(
        worker.takeSent(DataMessage.Commit.class).stream().allMatch(m -> m.watermark() == 0));
    worker.trainUpToStage(20, 30, ids(3, 3));
    assertTrue(
        worker.takeSent(DataMessage.StageRows.class).stream()
            .allMatch(m -> m.header().watermark() == 0));
    worker.applied(0, 1);
    worker.applied(1, 1);
    worker.takeSent();
    worker.staged(0, 3);
    worker.staged(1, 3);
    List<DataMessage.Commit> commits = worker.takeSent(DataMessage.Commit.class);
    assertEquals(2, commits.size());
    assertTrue(commits.stream().allMatch(m -> m.watermark() == 2), commits.toString());
  }

  @Test
  void shouldAskEverythingAnewInANewEpoch() {
    worker.grant(lease(1, 0, 100, MANY));
    worker.trainUpToStage(0, 10, ids(1, 1));
    worker.read(10, 20, 0, ids(2, 2));
    List<Sent> pulls = worker.takeSent();
    worker.staged(0, 1);
    worker.epochWithout();
    List<Sent> again = worker.takeSent();
    assertEquals(Set.of(1), servers(again, DataMessage.Stage.class));
    assertEquals(
        servers(pulls, DataMessage.PullShard.class), servers(again, DataMessage.PullShard.class));
    worker.staged(1, 1);
    worker.takeSent();
    worker.epochWithout();
    assertEquals(Set.of(0, 1), servers(worker.takeSent(), DataMessage.Commit.class));
  }

  @Test
  void shouldStageAtEachServerInTheOrderOfItsTransactions() {
    worker.grant(lease(1, 0, 100, MANY));
    worker.trainUpToStage(0, 10, ids(1, 1));
    worker.takeSent();
    worker.trainUpToStage(10, 20, ids(2, 2));
    assertEquals(List.of(), worker.takeSent(DataMessage.StageShard.class));
    worker.staged(1, 1);
    List<Sent> sent = worker.takeSent();
    assertEquals(Set.of(1), servers(sent, DataMessage.Stage.class));
    worker.staged(1, 2);
    worker.pass(RETRY);
    sent = worker.takeSent();
    assertEquals(Set.of(0), servers(sent, DataMessage.Stage.class));
    assertTrue(
        sent.stream()
            .allMatch(each -> ((DataMessage.Stage) each.message()).header().tx().sequence() == 1));
    worker.staged(0, 1);
    sent = worker.takeSent();
    assertEquals(Set.of(0, 1), servers(sent, DataMessage.Commit.class));
    assertEquals(Set.of(0), servers(sent, DataMessage.Stage.class));
  }

  @Test
  void shouldKeepTheWindow() {
    worker.grant(lease(1, 0, 100, MANY));
    worker.trainUpToStage(0, 10, ids(1, 1));
    worker.trainUpToStage(10, 20, ids(2, 2));
    worker.takeSent();
    worker.read(20, 30, 0, ids(3, 3));
    assertEquals(List.of(), worker.takeSent(), "a third iteration waits");
    assertFalse(worker.wantsToRead(), "one is read ahead, not two");
    worker.commitEverywhere(1);
    assertFalse(worker.takeSent(DataMessage.Pull.class).isEmpty());
    assertTrue(worker.wantsToRead());
  }

  // Leases.

  @Test
  void shouldRepeatItsRequestUnderTheSameNumber() {
    RequestLease request = new RequestLease(NODE, INCARNATION, 1);
    assertEquals(List.of(request), worker.takeTold());
    worker.pass(RETRY - 1);
    assertEquals(List.of(), worker.takeTold());
    worker.pass(1);
    assertEquals(List.of(request), worker.takeTold());
  }

  @Test
  void shouldNotTakeAnEchoForTheNextLease() {
    worker.grant(lease(1, 0, 10, MANY));
    worker.core.onControl(new LeaseGranted(1, lease(1, 0, 10, MANY)), worker.now);
    worker.trainUpToStage(0, 10, ids(1, 1));
    assertEquals(List.of(new RequestLease(NODE, INCARNATION, 2)), worker.takeTold());
    worker.core.onControl(new LeaseGranted(1, lease(1, 0, 10, MANY)), worker.now);
    assertFalse(worker.wantsToRead());
    worker.core.onControl(new LeaseGranted(2, lease(2, 10, 20, MANY)), worker.now);
    assertTrue(worker.wantsToRead());
  }

  @Test
  void shouldReportALeaseWhenAllOfItIsApplied() {
    worker.grant(lease(5, 0, 20, MANY));
    worker.trainUpToStage(0, 10, ids(1, 1), ids(2, 2));
    worker.trainUpToStage(10, 20, ids(3, 3));
    worker.takeTold();
    worker.staged(0, 1);
    worker.staged(1, 1);
    worker.commitEverywhere(2);
    assertEquals(List.of(), worker.takeTold());
    worker.commitEverywhere(1);
    assertEquals(List.of(new LeaseDone(NODE, INCARNATION, 5, 20, 2, 3, 0)), worker.takeTold());
  }

  @Test
  void shouldTellBadLinesBehindTheLastBatchWithTheLease() {
    worker.grant(lease(5, 0, 20, MANY));
    worker.read(0, 12, 2, ids(1, 1));
    worker.answer(worker.takeSent());
    worker.compute();
    worker.read(12, 20, 3);
    worker.takeTold();
    worker.commitEverywhere(1);
    assertEquals(List.of(new LeaseDone(NODE, INCARNATION, 5, 12, 1, 1, 3)), worker.takeTold());
  }

  @Test
  void shouldReportALeaseWithoutAGoodLine() {
    worker.grant(lease(5, 10, 20, MANY));
    worker.read(10, 20, 4);
    assertEquals(
        List.of(
            new LeaseDone(NODE, INCARNATION, 5, 10, 0, 0, 4),
            new RequestLease(NODE, INCARNATION, 2)),
        worker.takeTold());
  }

  @Test
  void shouldReturnTheRestOfALeaseWhenItsBatchesAreUsedUp() {
    worker.grant(lease(5, 0, 100, 1));
    worker.trainUpToStage(0, 10, ids(1, 1));
    assertEquals(List.of(new RequestLease(NODE, INCARNATION, 2)), worker.takeTold());
    assertFalse(worker.wantsToRead());
    worker.commitEverywhere(1);
    assertEquals(List.of(new LeaseDone(NODE, INCARNATION, 5, 10, 1, 1, 0)), worker.takeTold());
  }

  @Test
  void shouldReportALeaseUntilTheCoordinatorKnows() {
    worker.grant(lease(5, 0, 10, MANY));
    worker.trainUpToStage(0, 10, ids(1, 1));
    worker.commitEverywhere(1);
    worker.takeTold();
    LeaseDone done = new LeaseDone(NODE, INCARNATION, 5, 10, 1, 1, 0);
    worker.pass(RETRY - 1);
    assertFalse(worker.takeTold().contains(done));
    worker.pass(1);
    assertTrue(worker.takeTold().contains(done));
    worker.core.onControl(new LeaseClosed(4), worker.now);
    worker.pass(RETRY);
    assertTrue(worker.takeTold().contains(done));
    worker.core.onControl(new LeaseClosed(5), worker.now);
    worker.pass(RETRY);
    assertFalse(worker.takeTold().contains(done));
  }

  @Test
  void shouldFinishOnceWhenThereIsNoMoreData() {
    worker.grant(lease(5, 0, 10, MANY));
    worker.trainUpToStage(0, 10, ids(1, 1));
    worker.commitEverywhere(1);
    assertEquals(0, worker.finished);
    worker.core.onControl(new NoMoreData(), worker.now);
    worker.core.onControl(new NoMoreData(), worker.now);
    worker.takeTold();
    worker.pass(10 * RETRY);
    assertEquals(1, worker.finished);
    assertEquals(List.of(), worker.takeTold(), "what is left to say");
  }

  @Test
  void shouldNotFinishBeforeAllIsApplied() {
    worker.grant(lease(5, 0, 10, MANY));
    worker.trainUpToStage(0, 10, ids(1, 1));
    worker.core.onControl(new NoMoreData(), worker.now);
    assertEquals(0, worker.finished);
    worker.commitEverywhere(1);
    assertEquals(1, worker.finished);
  }

  @Test
  void shouldTellTheMeanLossOfWhatWasApplied() {
    assertTrue(Double.isNaN(worker.core.takeMeanLoss()));
    worker.grant(lease(5, 0, 10, MANY));
    worker.trainUpToStage(0, 10, ids(1, 1), ids(2, 2));
    worker.commitEverywhere(1);
    assertEquals(0.5, worker.core.takeMeanLoss());
    assertTrue(Double.isNaN(worker.core.takeMeanLoss()));
  }

  // Steps.

  @Test
  void shouldPullOnlyWhenTheStepIsOpenAndAskForItUntilItIs() {
    restart(job(SyncMode.SYNC, 0, false, 1));
    worker.grant(lease(5, 0, 100, MANY));
    worker.read(0, 10, 0, ids(1, 1));
    StepStart start = new StepStart(NODE, INCARNATION, 1);
    assertEquals(List.of(start), worker.takeTold());
    assertEquals(List.of(), worker.takeSent());
    worker.pass(RETRY - 1);
    assertEquals(List.of(), worker.takeTold());
    worker.pass(1);
    assertEquals(List.of(start), worker.takeTold());
    worker.core.onControl(new StepOpened(2), worker.now);
    assertEquals(List.of(), worker.takeSent());
    worker.core.onControl(new StepOpened(1), worker.now);
    assertFalse(worker.takeSent().isEmpty());
    worker.core.onControl(new StepOpened(1), worker.now);
    assertEquals(List.of(), worker.takeSent());
    worker.pass(RETRY);
    assertEquals(List.of(), worker.takeTold());
  }

  @Test
  void shouldSayThatAStepIsDoneUntilAnotherIsOpened() {
    restart(job(SyncMode.SYNC, 0, false, 1));
    worker.grant(lease(5, 0, 100, MANY));
    worker.read(0, 10, 0, ids(1, 1));
    worker.core.onControl(new StepOpened(1), worker.now);
    worker.answer(worker.takeSent());
    worker.compute();
    worker.takeTold();
    worker.commitEverywhere(1);
    StepDone done = new StepDone(NODE, INCARNATION, 1);
    assertEquals(List.of(done), worker.takeTold());
    worker.read(10, 20, 0, ids(1, 1));
    worker.takeTold();
    worker.pass(RETRY);
    assertTrue(worker.takeTold().contains(done));
    worker.core.onControl(new StepOpened(2), worker.now);
    worker.pass(RETRY);
    assertFalse(worker.takeTold().contains(done));
  }

  @Test
  void shouldNotTakeAStepThatStalenessOpensForAnAcknowledgement() {
    restart(job(SyncMode.BOUNDED, 1, false, 2));
    worker.grant(lease(5, 0, 100, MANY));
    worker.read(0, 10, 0, ids(1, 1));
    worker.core.onControl(new StepOpened(1), worker.now);
    worker.answer(worker.takeSent());
    worker.compute();
    worker.commitEverywhere(1);
    worker.read(10, 20, 0, ids(1, 1));
    worker.core.onControl(new StepOpened(2), worker.now);
    worker.takeTold();
    worker.pass(RETRY);
    assertTrue(worker.takeTold().contains(new StepDone(NODE, INCARNATION, 1)));
    worker.read(20, 30, 0, ids(1, 1));
    worker.core.onControl(new StepOpened(3), worker.now);
    worker.takeTold();
    worker.pass(RETRY);
    assertFalse(worker.takeTold().contains(new StepDone(NODE, INCARNATION, 1)));
  }

  @Test
  void shouldCommitInItsTurnOnly() {
    restart(job(SyncMode.SYNC, 0, true, 1));
    worker.grant(lease(5, 0, 100, MANY));
    worker.read(0, 10, 0, ids(1, 1));
    worker.core.onControl(new StepOpened(1), worker.now);
    worker.answer(worker.takeSent());
    worker.compute();
    worker.staged(0, 1);
    worker.takeTold();
    worker.takeSent();
    worker.core.onControl(new CommitGranted(1), worker.now);
    assertEquals(List.of(), worker.takeSent(), "not before all is staged");
    worker.staged(1, 1);
    StepReady ready = new StepReady(NODE, INCARNATION, 1);
    assertEquals(List.of(ready), worker.takeTold());
    assertEquals(List.of(), worker.takeSent());
    worker.pass(RETRY);
    assertEquals(List.of(ready), worker.takeTold());
    worker.core.onControl(new CommitGranted(1), worker.now);
    assertEquals(Set.of(0, 1), servers(worker.takeSent(), DataMessage.Commit.class));
    worker.core.onControl(new CommitGranted(1), worker.now);
    assertEquals(List.of(), worker.takeSent());
    worker.pass(RETRY);
    assertEquals(List.of(), worker.takeTold());
  }
}
