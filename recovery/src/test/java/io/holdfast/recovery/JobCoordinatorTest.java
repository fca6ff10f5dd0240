package io.holdfast.recovery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.config.control.ControlMessage;
import io.holdfast.config.control.JobControl.MapForReader;
import io.holdfast.config.control.JobControl.Registered;
import io.holdfast.config.control.JobControl.RegistrationRefused;
import io.holdfast.config.control.JobControl.Stop;
import io.holdfast.config.control.RedundancyStatistics;
import io.holdfast.config.control.Register;
import io.holdfast.config.control.ServerControl.AdoptEpoch;
import io.holdfast.config.control.ServerControl.CommittedRanges;
import io.holdfast.config.control.ServerControl.EpochAdopted;
import io.holdfast.config.control.ServerControl.QueryRanges;
import io.holdfast.config.control.ServerControl.RangeRecord;
import io.holdfast.config.control.ServerControl.ServerFailed;
import io.holdfast.config.control.ServerControl.ServerReady;
import io.holdfast.config.control.ServerControl.ServerStatistics;
import io.holdfast.config.control.ServerControl.StartServer;
import io.holdfast.config.control.WorkerControl.LeaseDone;
import io.holdfast.config.control.WorkerControl.LeaseGranted;
import io.holdfast.config.control.WorkerControl.NoMoreData;
import io.holdfast.config.control.WorkerControl.RequestLease;
import io.holdfast.config.control.WorkerControl.StartWorker;
import io.holdfast.config.control.WorkerControl.WorkerEpoch;
import io.holdfast.config.control.WorkerControl.WorkerFailed;
import io.holdfast.config.control.WorkerControl.WorkerFinished;
import io.holdfast.config.job.SyncMode;
import io.holdfast.config.placement.Epoch;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.placement.NodeId.Role;
import io.holdfast.config.protocol.DataRange;
import io.holdfast.recovery.JobOutcome.FailureKind;
import io.holdfast.recovery.JobOutcome.JobFailed;
import io.holdfast.recovery.JobOutcome.JobLost;
import io.holdfast.recovery.JobOutcome.JobTrained;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Scripted: two servers (incarnations 10, 11), two workers (20, 21), one file of 100 lines. */
final class JobCoordinatorTest implements CoordinatorEffects {
  private static final NodeId SERVER_0 = NodeId.server(0);
  private static final NodeId SERVER_1 = NodeId.server(1);
  private static final NodeId WORKER_0 = NodeId.worker(0);
  private static final NodeId WORKER_1 = NodeId.worker(1);

  private record Sent(Object to, ControlMessage message) {}

  private final List<Sent> sent = new ArrayList<>();
  private final List<JobOutcome> outcomes = new ArrayList<>();
  private JobCoordinator coordinator = coordinator(TrainingData.ofPasses(splits(), 1));
  private long nowNanos;

  @Test
  void shouldNameProcessesAndRefuseASurplusOne() {
    register(Role.SERVER, 1, 11);
    register(Role.SERVER, 1, 10);
    register(Role.SERVER, 1, 10);
    assertEquals(
        List.of(
            new Sent(SERVER_1, new Registered(SERVER_1)),
            new Sent(SERVER_0, new Registered(SERVER_0)),
            new Sent(SERVER_0, new Registered(SERVER_0))),
        sent);
    register(Role.SERVER, -1, 12);
    RegistrationRefused refused = only(12L, RegistrationRefused.class);
    assertTrue(refused.reason().contains("all 2 servers of the job are there"), refused.reason());
  }

  @Test
  void shouldStartServersThenWorkers() {
    registerAll();
    assertEquals(new Epoch(1, 1), only(SERVER_0, StartServer.class).map().epoch());
    assertTrue(all(WORKER_0, StartWorker.class).isEmpty());
    on(new ServerReady(SERVER_0, 1));
    on(new ServerReady(SERVER_0, 1));
    assertTrue(all(WORKER_0, StartWorker.class).isEmpty());
    on(new ServerReady(SERVER_1, 1));
    assertEquals(4711, only(WORKER_1, StartWorker.class).map().sessionKey());
  }

  @Test
  void shouldTakeARestartedServerForTheDeathOfTheOldOne() {
    start();
    coordinator.on(new Register(Role.SERVER, 1, 99, "host:SERVER1", 7, null), 0);
    JobLost lost = assertInstanceOf(JobLost.class, outcomes.getFirst());
    assertEquals(4, lost.exitCode());
    assertTrue(lost.lost().toString().contains("server-1's share"), lost.lost().toString());
    assertTrue(lost.lost().toString().contains("NN shards [1, 3"), lost.lost().toString());
    only(99L, RegistrationRefused.class);
    only(WORKER_0, Stop.class);
  }

  @Test
  void shouldNotTakeAStrangerForARestart() {
    start();
    coordinator.on(new Register(Role.SERVER, 1, 99, "elsewhere:1", 7, null), 0);
    assertTrue(outcomes.isEmpty());
    only(99L, RegistrationRefused.class);
  }

  @Test
  void shouldFailWithTheReasonOfAWorkerOrServer() {
    start();
    on(new WorkerFailed(WORKER_1, 99, "data", "another process"));
    assertTrue(outcomes.isEmpty(), "nobody of that incarnation is here");
    on(new WorkerFailed(WORKER_1, 21, "data", "a.tsv line 7: 12 columns"));
    JobFailed failed = assertInstanceOf(JobFailed.class, outcomes.getFirst());
    assertEquals(3, failed.exitCode());
    assertEquals("worker-1: a.tsv line 7: 12 columns", failed.reason());
    on(new ServerFailed(SERVER_0, 10, "too late to matter"));
    assertEquals(1, outcomes.size());
  }

  @Test
  void shouldLoseTheJobWithAServer() {
    start();
    on(new ServerFailed(SERVER_0, 10, "no memory"));
    JobLost lost = assertInstanceOf(JobLost.class, outcomes.getFirst());
    assertTrue(lost.reason().contains("server-0") && lost.reason().contains("no memory"));
  }

  @Test
  void shouldGiveTheSameLeaseToARepeatedRequest() {
    start();
    on(new RequestLease(WORKER_0, 20, 1));
    on(new RequestLease(WORKER_0, 20, 1));
    List<LeaseGranted> granted = all(WORKER_0, LeaseGranted.class);
    assertEquals(2, granted.size());
    assertEquals(granted.getFirst(), granted.getLast());
  }

  @Test
  void shouldTrainAndThenServeReaders() {
    trainTo(50, 50, 2);
    JobTrained trained = assertInstanceOf(JobTrained.class, outcomes.getFirst());
    assertEquals(new DataTotals(94, 2, 6, 0), trained.totals());
    assertEquals(JobPhase.SERVING, coordinator.phase());
    only(WORKER_0, Stop.class);
    assertTrue(all(SERVER_0, Stop.class).isEmpty());

    register(Role.READER, -1, 30);
    assertTrue(all(NodeId.reader(0), MapForReader.class).isEmpty(), "servers do not know it yet");
    Epoch epoch = only(SERVER_0, AdoptEpoch.class).map().epoch();
    on(new EpochAdopted(SERVER_0, epoch));
    on(new EpochAdopted(SERVER_1, epoch));
    assertEquals(epoch, only(NodeId.reader(0), MapForReader.class).map().epoch());

    coordinator.onStop("saved");
    only(SERVER_0, Stop.class);
    assertEquals(1, outcomes.size());
  }

  @Test
  void shouldFailLoudlyIfDataIsMissingOrTwice() {
    trainTo(40, 50, 2);
    assertReason("data was not trained: [40, 50) of file 0");
  }

  @Test
  void shouldFailLoudlyIfDataWasTrainedTwice() {
    trainTo(60, 50, 2);
    assertReason("trained twice");
  }

  @Test
  void shouldFailLoudlyIfIterationsAreMissing() {
    trainTo(50, 50, 1);
    assertReason("servers committed 1 iterations, workers 2");
  }

  @Test
  void shouldFailIfThereIsNoGoodLine() {
    coordinator = coordinator(TrainingData.ofIterations(splits(), 5));
    start();
    for (int request = 1; outcomes.isEmpty() && request < 10; request++) {
      on(new RequestLease(WORKER_0, 20, request));
      if (all(WORKER_0, LeaseGranted.class).size() == request) {
        var lease = all(WORKER_0, LeaseGranted.class).getLast().lease();
        on(new LeaseDone(WORKER_0, 20, lease.id(), lease.from(), 0, 0, lease.to() - lease.from()));
      }
    }
    JobFailed failed = assertInstanceOf(JobFailed.class, outcomes.getFirst());
    assertEquals(FailureKind.DATA, failed.kind());
    assertTrue(failed.reason().contains("not a single good line"));
  }

  @Test
  void shouldFenceADeadWorkerAndRepeatWhatIsNotAnswered() {
    start();
    on(new RequestLease(WORKER_0, 20, 1));
    coordinator.onNodeDown(WORKER_0, 20, "killed", nowNanos);
    Epoch epoch = only(SERVER_0, AdoptEpoch.class).map().epoch();
    assertTrue(only(SERVER_1, AdoptEpoch.class).map().member(WORKER_0).isEmpty());
    assertTrue(all(WORKER_1, WorkerEpoch.class).isEmpty());
    nowNanos += 100;
    coordinator.tick(nowNanos);
    assertEquals(2, all(SERVER_0, AdoptEpoch.class).size());
    on(new EpochAdopted(SERVER_0, epoch));
    on(new EpochAdopted(SERVER_1, epoch));
    only(WORKER_1, WorkerEpoch.class);
    on(new RequestLease(WORKER_0, 20, 2));
    assertTrue(only(20L, Stop.class).reason().contains("declared dead"));
    register(Role.WORKER, 0, 20);
    only(20L, RegistrationRefused.class);
  }

  @Test
  void shouldRefuseDataThatMakesNoSense() {
    assertThrows(IllegalArgumentException.class, () -> TrainingData.ofPasses(List.of(), 1));
    assertThrows(IllegalArgumentException.class, () -> TrainingData.ofPasses(splits(), 0));
    List<Split> overlapping = List.of(new Split(0, 0, 10), new Split(0, 9, 20));
    assertThrows(IllegalArgumentException.class, () -> TrainingData.ofPasses(overlapping, 1));
  }

  /** Both workers train a split; servers then claim other numbers. */
  private void trainTo(long firstTo, long secondFrom, long iterations) {
    start();
    on(new RequestLease(WORKER_0, 20, 1));
    on(new RequestLease(WORKER_1, 21, 1));
    long first = all(WORKER_0, LeaseGranted.class).getFirst().lease().id();
    long second = all(WORKER_1, LeaseGranted.class).getFirst().lease().id();
    on(new LeaseDone(WORKER_0, 20, first, 50, 1, 48, 0));
    on(new RequestLease(WORKER_0, 20, 2));
    assertTrue(all(WORKER_0, NoMoreData.class).isEmpty(), "the other's lease may come back");
    on(new LeaseDone(WORKER_1, 21, second, 98, 1, 46, 2));
    only(WORKER_0, NoMoreData.class);
    on(new RequestLease(WORKER_1, 21, 2));
    on(new WorkerFinished(WORKER_0, 20, 48, 1, Map.of(), Map.of()));
    assertFalse(coordinator.phase() == JobPhase.COUNTING);
    on(new WorkerFinished(WORKER_1, 21, 46, 1, Map.of(), Map.of()));
    long query = only(SERVER_0, QueryRanges.class).query();
    on(new CommittedRanges(SERVER_0, query - 1, List.of()));
    DataRange one = new DataRange(0, 0, 0, firstTo, 48, 2);
    on(new CommittedRanges(SERVER_0, query, List.of(new RangeRecord(one, 1))));
    DataRange other = new DataRange(0, 0, secondFrom, 98, 46, 2);
    on(new CommittedRanges(SERVER_1, query, List.of(new RangeRecord(other, iterations - 1))));
    on(new ServerStatistics(SERVER_0, 0, 0, 0, 0, 0, 0, RedundancyStatistics.NONE));
    on(new ServerStatistics(SERVER_1, 0, 0, 0, 0, 0, 0, RedundancyStatistics.NONE));
  }

  private void assertReason(String part) {
    JobFailed failed = assertInstanceOf(JobFailed.class, outcomes.getFirst());
    assertEquals(1, failed.exitCode());
    assertTrue(failed.reason().contains(part), failed.reason());
  }

  private JobCoordinator coordinator(TrainingData data) {
    return new JobCoordinator(
        TestJobs.job(2, 2, SyncMode.ASYNC, 0, false, 1, 50),
        data,
        new CoordinatorSettings(1, 4711, 100),
        this);
  }

  private static List<Split> splits() {
    return List.of(new Split(0, 0, 50), new Split(0, 50, 100));
  }

  private void registerAll() {
    register(Role.SERVER, 0, 10);
    register(Role.SERVER, 1, 11);
    register(Role.WORKER, 0, 20);
    register(Role.WORKER, 1, 21);
  }

  private void start() {
    registerAll();
    on(new ServerReady(SERVER_0, 1));
    on(new ServerReady(SERVER_1, 1));
  }

  private void register(Role role, int preferred, long incarnation) {
    on(new Register(role, preferred, incarnation, "host:" + role + incarnation % 10, 7, null));
  }

  private void on(ControlMessage message) {
    coordinator.on(message, nowNanos);
  }

  private <T> List<T> all(Object to, Class<T> type) {
    return sent.stream()
        .filter(each -> each.to.equals(to))
        .map(Sent::message)
        .filter(type::isInstance)
        .map(type::cast)
        .toList();
  }

  private <T> T only(Object to, Class<T> type) {
    List<T> all = all(to, type);
    assertEquals(1, all.size(), to + " got " + all);
    return all.getFirst();
  }

  @Override
  public void named(NodeId node, long incarnation) {
    assertEquals(incarnation % 10, node.index());
  }

  @Override
  public void send(NodeId to, ControlMessage message) {
    sent.add(new Sent(to, message));
  }

  @Override
  public void toUnregistered(long incarnation, ControlMessage message) {
    sent.add(new Sent(incarnation, message));
  }

  @Override
  public void outcome(JobOutcome outcome) {
    outcomes.add(outcome);
  }

  @Override
  public void progress(JobProgress progress) {
    assertFalse(progress.phase() == JobPhase.OVER);
  }
}
