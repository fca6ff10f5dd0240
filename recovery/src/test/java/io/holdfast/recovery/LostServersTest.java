package io.holdfast.recovery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.config.control.ControlMessage;
import io.holdfast.config.control.JobControl.MapForReader;
import io.holdfast.config.control.JobControl.RegistrationRefused;
import io.holdfast.config.control.JobControl.Stop;
import io.holdfast.config.control.RedundancyStatistics;
import io.holdfast.config.control.Register;
import io.holdfast.config.control.ServerControl.AdoptEpoch;
import io.holdfast.config.control.ServerControl.CommittedRanges;
import io.holdfast.config.control.ServerControl.CopyProgress;
import io.holdfast.config.control.ServerControl.CopyState;
import io.holdfast.config.control.ServerControl.EpochAdopted;
import io.holdfast.config.control.ServerControl.HandOver;
import io.holdfast.config.control.ServerControl.QueryRanges;
import io.holdfast.config.control.ServerControl.QueryWorker;
import io.holdfast.config.control.ServerControl.RangeRecord;
import io.holdfast.config.control.ServerControl.ServerFailed;
import io.holdfast.config.control.ServerControl.ServerReady;
import io.holdfast.config.control.ServerControl.ServerStatistics;
import io.holdfast.config.control.ServerControl.StartServer;
import io.holdfast.config.control.ServerControl.WorkerResolved;
import io.holdfast.config.control.ServerControl.WorkerTransactions;
import io.holdfast.config.control.WorkerControl.LeaseDone;
import io.holdfast.config.control.WorkerControl.LeaseGranted;
import io.holdfast.config.control.WorkerControl.RequestLease;
import io.holdfast.config.control.WorkerControl.WorkerEpoch;
import io.holdfast.config.control.WorkerControl.WorkerFinished;
import io.holdfast.config.job.Redundancy;
import io.holdfast.config.job.SyncMode;
import io.holdfast.config.placement.Epoch;
import io.holdfast.config.placement.Member;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.placement.NodeId.Role;
import io.holdfast.config.placement.PlacementMap;
import io.holdfast.config.protocol.DataRange;
import io.holdfast.recovery.JobOutcome.JobLost;
import io.holdfast.recovery.JobOutcome.JobTrained;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Scripted: three servers (incarnations 10 to 12), two workers (20, 21), a file of 100 lines. */
final class LostServersTest implements CoordinatorEffects {
  private static final NodeId SERVER_0 = NodeId.server(0);
  private static final NodeId SERVER_1 = NodeId.server(1);
  private static final NodeId SERVER_2 = NodeId.server(2);
  private static final NodeId WORKER_0 = NodeId.worker(0);
  private static final NodeId WORKER_1 = NodeId.worker(1);

  private record Sent(Object to, ControlMessage message) {}

  private final List<Sent> sent = new ArrayList<>();
  private final List<JobOutcome> outcomes = new ArrayList<>();
  private JobProgress progress;
  private JobCoordinator coordinator = coordinator(Redundancy.of("xor", 2, 1));

  @Test
  void shouldGoOnWithoutAServerThatOthersCanActFor() {
    start();
    lose(SERVER_2, 12);
    Epoch epoch = last(SERVER_0, AdoptEpoch.class).map().epoch();
    assertTrue(last(SERVER_0, AdoptEpoch.class).map().member(SERVER_2).isEmpty());
    assertTrue(all(SERVER_2, AdoptEpoch.class).isEmpty());
    last(12L, Stop.class);
    on(new EpochAdopted(SERVER_0, epoch));
    assertTrue(all(WORKER_0, WorkerEpoch.class).isEmpty());
    on(new EpochAdopted(SERVER_1, epoch));
    assertEquals(epoch, last(WORKER_0, WorkerEpoch.class).map().epoch());
    coordinator.tick(1);
    assertEquals(List.of(SERVER_2), progress.lost());
    assertTrue(outcomes.isEmpty());
  }

  @Test
  void shouldTreatAServerThatFailsLikeOneThatDies() {
    start();
    on(new ServerFailed(SERVER_2, 12, "no memory"));
    assertTrue(outcomes.isEmpty());
    assertTrue(last(SERVER_0, AdoptEpoch.class).map().member(SERVER_2).isEmpty());
  }

  @Test
  void shouldGiveALostServersPlaceToANewProcess() {
    start();
    lose(SERVER_2, 12);
    adopt();
    on(new Register(Role.SERVER, -1, 99, "elsewhere:1", 7, null));
    assertEquals(SERVER_2, last(SERVER_2, StartServer.class).self());
    assertTrue(last(SERVER_0, AdoptEpoch.class).map().member(SERVER_2).isEmpty(), "not yet ready");
    on(new ServerReady(SERVER_2, 1));
    PlacementMap map = last(SERVER_0, AdoptEpoch.class).map();
    Member copying = map.member(SERVER_2).orElseThrow();
    assertEquals(map.epoch().packed(), copying.copyingSince());
    adopt();
    coordinator.tick(1);
    assertEquals(List.of(SERVER_2), progress.lost());
    assertEquals(SERVER_2, progress.replacing().server());

    on(new CopyProgress(SERVER_2, 99, copying.copyingSince() - 1, CopyState.COPIED, 1, 10));
    on(new CopyProgress(SERVER_2, 98, copying.copyingSince(), CopyState.COPIED, 1, 10));
    on(new CopyProgress(SERVER_2, 99, copying.copyingSince(), CopyState.TAKEN_OVER, 1, 10));
    assertTrue(all(SERVER_0, HandOver.class).isEmpty(), "others, or out of order");
    on(new CopyProgress(SERVER_2, 99, copying.copyingSince(), CopyState.COPIED, 1, 10));
    assertEquals(99, last(SERVER_0, HandOver.class).incarnation());
    assertEquals(99, last(SERVER_1, HandOver.class).incarnation());
    assertTrue(last(SERVER_0, AdoptEpoch.class).map().member(SERVER_2).orElseThrow().isCopying());
    on(new CopyProgress(SERVER_2, 99, copying.copyingSince(), CopyState.TAKEN_OVER, 1, 10));
    assertFalse(last(SERVER_0, AdoptEpoch.class).map().member(SERVER_2).orElseThrow().isCopying());
    adopt();
    assertTrue(all(WORKER_0, WorkerEpoch.class).getLast().map().member(SERVER_2).isPresent());
    coordinator.tick(1);
    assertEquals(List.of(), progress.lost());
    assertNull(progress.replacing());
    lose(SERVER_0, 10);
    assertTrue(outcomes.isEmpty(), "it can bear one again: " + outcomes);
  }

  @Test
  void shouldLetTheNextTakeThePlaceIfTheFirstDies() {
    start();
    lose(SERVER_2, 12);
    adopt();
    on(new Register(Role.SERVER, 2, 99, "host:SERVER2", 7, null));
    on(new ServerReady(SERVER_2, 1));
    on(new Register(Role.SERVER, -1, 98, "elsewhere:1", 7, null));
    assertTrue(all(98L, RegistrationRefused.class).isEmpty(), "it may wait for its turn");
    lose(SERVER_2, 99);
    assertEquals(3, all(SERVER_2, StartServer.class).size(), "at the start, and for each");
    on(new ServerReady(SERVER_2, 1));
    assertEquals(
        98, last(SERVER_0, AdoptEpoch.class).map().member(SERVER_2).orElseThrow().incarnation());
    assertTrue(outcomes.isEmpty());
  }

  @Test
  void shouldReplaceAServerThatIsRestartedBeforeItsDeathIsKnown() {
    start();
    on(new Register(Role.SERVER, 2, 99, "host:SERVER2", 7, null));
    last(12L, Stop.class);
    assertEquals(1, all(SERVER_2, StartServer.class).size() - 1, "the first start and this one");
    assertTrue(outcomes.isEmpty());
  }

  @Test
  void shouldRefuseAServerThatNobodyNeeds() {
    start();
    on(new Register(Role.SERVER, -1, 98, "elsewhere:1", 7, null));
    String reason = last(98L, RegistrationRefused.class).reason();
    assertTrue(reason.contains("all 3 servers of the job are there"), reason);
  }

  @Test
  void shouldNotSettleADeadWorkerWithoutWhoeverTookAServersPlace() {
    start();
    lose(SERVER_2, 12);
    adopt();
    on(new Register(Role.SERVER, -1, 99, "elsewhere:1", 7, null));
    on(new ServerReady(SERVER_2, 1));
    long since = last(SERVER_0, AdoptEpoch.class).map().epoch().packed();
    adopt();
    on(new RequestLease(WORKER_0, 20, 1));
    coordinator.onNodeDown(WORKER_0, 20, "killed", 0);
    adopt();
    on(new CopyProgress(SERVER_2, 99, since, CopyState.COPIED, 1, 10));
    on(new CopyProgress(SERVER_2, 99, since, CopyState.TAKEN_OVER, 1, 10));
    assertTrue(all(SERVER_2, QueryWorker.class).isEmpty());
    adopt();
    assertEquals(1, all(SERVER_2, QueryWorker.class).size());
    assertEquals(2, all(SERVER_0, QueryWorker.class).size(), "asked anew");
  }

  @Test
  void shouldSayWhatIsMissingWhenTooManyAreLost() {
    start();
    lose(SERVER_2, 12);
    lose(SERVER_0, 10);
    JobLost lost = assertInstanceOf(JobLost.class, outcomes.getFirst());
    assertTrue(lost.reason().contains("server-0"), lost.reason());
    assertTrue(lost.reason().contains("2 of 3 members of stripe"), lost.reason());
    assertTrue(lost.reason().contains("lost before: [server-2]"), lost.reason());
    assertTrue(lost.lost().toString().contains("server-0's share"), lost.lost().toString());
    assertTrue(lost.lost().toString().contains("server-2's share"), lost.lost().toString());
  }

  @Test
  void shouldLoseTheJobWhereThisVersionCannotAct() {
    coordinator = coordinator(Redundancy.of("rs", 1, 2));
    start();
    lose(SERVER_2, 12);
    assertLost("only with r = 1 and nn.replicas = 1");
  }

  @Test
  void shouldLoseTheJobIfAServerDiesWhileServersStart() {
    registerAll();
    lose(SERVER_2, 12);
    assertLost("needed to begin");
  }

  @Test
  void shouldSettleTwoWorkersThatDieWithAServer() {
    start();
    on(new RequestLease(WORKER_0, 20, 1));
    on(new RequestLease(WORKER_1, 21, 1));
    coordinator.onNodeDown(WORKER_0, 20, "killed", 0);
    coordinator.onNodeDown(WORKER_1, 21, "killed", 0);
    lose(SERVER_2, 12);
    on(new Register(Role.WORKER, 0, 22, "host:WORKER2", 7, null));
    on(new Register(Role.WORKER, 1, 23, "host:WORKER3", 7, null));
    adopt();
    assertEquals(2, all(SERVER_0, QueryWorker.class).size(), "each is asked about");
    assertTrue(all(SERVER_2, QueryWorker.class).isEmpty());
    for (NodeId server : List.of(SERVER_0, SERVER_1)) {
      on(new WorkerTransactions(server, WORKER_0, 20, 0, List.of(), List.of()));
      on(new WorkerTransactions(server, WORKER_1, 21, 0, List.of(), List.of()));
    }
    for (NodeId server : List.of(SERVER_0, SERVER_1)) {
      on(new WorkerResolved(server, WORKER_0, 20));
      on(new WorkerResolved(server, WORKER_1, 21));
    }
    for (NodeId server : List.of(SERVER_0, SERVER_1)) {
      for (QueryRanges query : all(server, QueryRanges.class)) {
        on(new CommittedRanges(server, query.query(), List.of()));
      }
    }
    adopt();
    on(new RequestLease(WORKER_0, 22, 1));
    on(new RequestLease(WORKER_1, 23, 1));
    assertEquals(2, all(WORKER_0, LeaseGranted.class).size());
    assertEquals(2, all(WORKER_1, LeaseGranted.class).size());
  }

  @Test
  void shouldCountAgainIfAServerIsLostMeanwhile() {
    trainToCounting();
    long first = last(SERVER_0, QueryRanges.class).query();
    on(ranges(SERVER_2, first, 0, 50));
    on(statistics(SERVER_2));
    on(ranges(SERVER_1, first, 50, 100));
    lose(SERVER_2, 12);
    sent.removeIf(each -> each.message instanceof QueryRanges);
    on(new CommittedRanges(SERVER_0, first, List.of()));
    on(statistics(SERVER_0));
    on(statistics(SERVER_1));
    assertTrue(all(SERVER_0, QueryRanges.class).isEmpty(), "it may lack what it acts for");
    adopt();
    long second = last(SERVER_0, QueryRanges.class).query();
    assertTrue(second > first);
    on(ranges(SERVER_0, second, 0, 50));
    on(ranges(SERVER_1, second, 50, 100));
    on(statistics(SERVER_0));
    assertTrue(outcomes.isEmpty());
    on(statistics(SERVER_1));
    JobTrained trained = assertInstanceOf(JobTrained.class, outcomes.getFirst());
    assertEquals(new DataTotals(100, 2, 0, 0), trained.totals());
    assertEquals(2, trained.servers().size());
    assertTrue(trained.warnings().getFirst().contains("server-2"), trained.warnings().toString());
  }

  @Test
  void shouldServeReadersWithoutALostServer() {
    trainToCounting();
    long query = last(SERVER_0, QueryRanges.class).query();
    on(ranges(SERVER_2, query, 0, 50));
    on(ranges(SERVER_1, query, 50, 100));
    on(new CommittedRanges(SERVER_0, query, List.of()));
    List.of(SERVER_0, SERVER_1, SERVER_2).forEach(server -> on(statistics(server)));
    assertInstanceOf(JobTrained.class, outcomes.getFirst());
    on(new Register(Role.READER, -1, 30, "", 7, null));
    lose(SERVER_2, 12);
    adopt();
    assertTrue(last(NodeId.reader(0), MapForReader.class).map().member(SERVER_2).isEmpty());
    lose(SERVER_1, 11);
    assertEquals(2, outcomes.size());
    assertInstanceOf(JobLost.class, outcomes.getLast());
  }

  @Test
  void shouldTrainDataAgainWhoseRecordDiedAndSayHowOften() {
    start();
    on(new RequestLease(WORKER_0, 20, 1));
    coordinator.onNodeDown(WORKER_0, 20, "killed", 0);
    lose(SERVER_2, 12);
    adopt();
    on(new WorkerTransactions(SERVER_0, WORKER_0, 20, 0, List.of(1L), List.of()));
    on(new WorkerTransactions(SERVER_1, WORKER_0, 20, 0, List.of(), List.of(1L)));
    for (NodeId server : List.of(SERVER_0, SERVER_1)) {
      on(new WorkerResolved(server, WORKER_0, 20));
    }
    long query = last(SERVER_0, QueryRanges.class).query();
    on(new CommittedRanges(SERVER_0, query, List.of()));
    on(new CommittedRanges(SERVER_1, query, List.of()));
    for (int request = 1; request <= 2; request++) {
      on(new RequestLease(WORKER_1, 21, request));
      var lease = last(WORKER_1, LeaseGranted.class).lease();
      on(new LeaseDone(WORKER_1, 21, lease.id(), lease.to(), 1, 50, 0));
    }
    on(new RequestLease(WORKER_1, 21, 3));
    on(new WorkerFinished(WORKER_1, 21, 100, 2, Map.of(), Map.of()));
    long end = last(SERVER_0, QueryRanges.class).query();
    on(ranges(SERVER_0, end, 0, 50));
    on(ranges(SERVER_1, end, 50, 100));
    on(statistics(SERVER_0));
    on(statistics(SERVER_1));
    JobTrained trained = assertInstanceOf(JobTrained.class, outcomes.getFirst());
    assertEquals(new DataTotals(100, 3, 0, 1), trained.totals());
    assertEquals(3, trained.warnings().size(), trained.warnings().toString());
    assertTrue(trained.warnings().get(1).startsWith("1 iterations"), trained.warnings().toString());
    assertTrue(
        trained.warnings().get(2).startsWith("up to 1 iterations"), trained.warnings().toString());
  }

  /** Both workers train a split. */
  private void trainToCounting() {
    start();
    for (NodeId worker : List.of(WORKER_0, WORKER_1)) {
      on(new RequestLease(worker, 20 + worker.index(), 1));
      var lease = last(worker, LeaseGranted.class).lease();
      on(new LeaseDone(worker, 20 + worker.index(), lease.id(), lease.to(), 1, 50, 0));
    }
    for (NodeId worker : List.of(WORKER_0, WORKER_1)) {
      on(new RequestLease(worker, 20 + worker.index(), 2));
      on(new WorkerFinished(worker, 20 + worker.index(), 50, 1, Map.of(), Map.of()));
    }
    assertEquals(JobPhase.COUNTING, coordinator.phase());
  }

  private static CommittedRanges ranges(NodeId server, long query, long from, long to) {
    DataRange range = new DataRange(0, 0, from, to, (int) (to - from), 0);
    return new CommittedRanges(server, query, List.of(new RangeRecord(range, 1)));
  }

  private static ServerStatistics statistics(NodeId server) {
    return new ServerStatistics(server, 0, 0, 0, 0, 0, 0, RedundancyStatistics.NONE);
  }

  private void assertLost(String part) {
    JobLost lost = assertInstanceOf(JobLost.class, outcomes.getFirst());
    assertTrue(lost.reason().contains(part), lost.reason());
  }

  private void lose(NodeId server, long incarnation) {
    coordinator.onNodeDown(server, incarnation, "killed", 0);
  }

  /** Those of the newest map adopt it. */
  private void adopt() {
    Epoch epoch = last(SERVER_1, AdoptEpoch.class).map().epoch();
    on(new EpochAdopted(SERVER_0, epoch));
    on(new EpochAdopted(SERVER_1, epoch));
    if (last(SERVER_1, AdoptEpoch.class).map().member(SERVER_2).isPresent()) {
      on(new EpochAdopted(SERVER_2, epoch));
    }
  }

  private JobCoordinator coordinator(Redundancy redundancy) {
    return new JobCoordinator(
        TestJobs.job(3, 2, SyncMode.ASYNC, 0, false, 1, 50, redundancy),
        TrainingData.ofPasses(List.of(new Split(0, 0, 50), new Split(0, 50, 100)), 1),
        new CoordinatorSettings(1, 4711, 100),
        this);
  }

  private void registerAll() {
    for (int server = 0; server < 3; server++) {
      on(new Register(Role.SERVER, server, 10 + server, "host:SERVER" + server, 7, null));
    }
    on(new Register(Role.WORKER, 0, 20, "host:WORKER0", 7, null));
    on(new Register(Role.WORKER, 1, 21, "host:WORKER1", 7, null));
  }

  private void start() {
    registerAll();
    List.of(SERVER_0, SERVER_1, SERVER_2).forEach(server -> on(new ServerReady(server, 1)));
  }

  private void on(ControlMessage message) {
    coordinator.on(message, 0);
  }

  private <T> List<T> all(Object to, Class<T> type) {
    return sent.stream()
        .filter(each -> each.to.equals(to))
        .map(Sent::message)
        .filter(type::isInstance)
        .map(type::cast)
        .toList();
  }

  private <T> T last(Object to, Class<T> type) {
    List<T> all = all(to, type);
    assertFalse(all.isEmpty(), to + " got no " + type.getSimpleName());
    return all.getLast();
  }

  @Override
  public void named(NodeId node, long incarnation) {}

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
  public void progress(JobProgress now) {
    progress = now;
  }
}
