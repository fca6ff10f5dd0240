package io.holdfast.recovery.control;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import akka.actor.typed.ActorRef;
import akka.actor.typed.ActorSystem;
import akka.actor.typed.Behavior;
import akka.actor.typed.Props;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import io.holdfast.config.control.ControlMessage;
import io.holdfast.config.control.ControlPlane;
import io.holdfast.config.control.DescribeJob;
import io.holdfast.config.control.JobControl.JobDescribed;
import io.holdfast.config.control.JobControl.ProcessEnded;
import io.holdfast.config.control.JobControl.Registered;
import io.holdfast.config.control.JobControl.Stop;
import io.holdfast.config.control.RedundancyStatistics;
import io.holdfast.config.control.Register;
import io.holdfast.config.control.ServerControl.AdoptEpoch;
import io.holdfast.config.control.ServerControl.CommittedRanges;
import io.holdfast.config.control.ServerControl.EpochAdopted;
import io.holdfast.config.control.ServerControl.QueryRanges;
import io.holdfast.config.control.ServerControl.QueryStatistics;
import io.holdfast.config.control.ServerControl.QueryWorker;
import io.holdfast.config.control.ServerControl.RangeRecord;
import io.holdfast.config.control.ServerControl.ResolveWorker;
import io.holdfast.config.control.ServerControl.ServerReady;
import io.holdfast.config.control.ServerControl.ServerStatistics;
import io.holdfast.config.control.ServerControl.StartServer;
import io.holdfast.config.control.ServerControl.WorkerResolved;
import io.holdfast.config.control.ServerControl.WorkerTransactions;
import io.holdfast.config.control.WorkerControl.Lease;
import io.holdfast.config.control.WorkerControl.LeaseDone;
import io.holdfast.config.control.WorkerControl.LeaseGranted;
import io.holdfast.config.control.WorkerControl.NoMoreData;
import io.holdfast.config.control.WorkerControl.RequestLease;
import io.holdfast.config.control.WorkerControl.StartWorker;
import io.holdfast.config.control.WorkerControl.WorkerFinished;
import io.holdfast.config.job.JobSpec;
import io.holdfast.config.job.SyncMode;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.protocol.DataRange;
import io.holdfast.config.settings.LinkKind;
import io.holdfast.config.settings.TransportSettings;
import io.holdfast.recovery.CoordinatorSettings;
import io.holdfast.recovery.JobOutcome;
import io.holdfast.recovery.JobOutcome.JobFailed;
import io.holdfast.recovery.JobOutcome.JobLost;
import io.holdfast.recovery.JobOutcome.JobTrained;
import io.holdfast.recovery.Split;
import io.holdfast.recovery.TestJobs;
import io.holdfast.recovery.TrainingData;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Real actor systems on loopback: the coordinator and servers in one, workers in another. */
final class CoordinatorActorTest {
  private static final int LINES = 1000;
  private static final int BATCH = 10;
  private static final TransportSettings TRANSPORT =
      new TransportSettings(
          Optional.of(LinkKind.IPC), true, Optional.of("/dev/shm/driver"), 0, 1 << 20, 1408, 4096);

  private record Committed(long incarnation, long sequence, DataRange range) {}

  private final ConcurrentLinkedQueue<Committed> committed = new ConcurrentLinkedQueue<>();
  private final BlockingQueue<JobOutcome> outcomes = new LinkedBlockingQueue<>();
  private final AtomicLong incarnations = new AtomicLong(100);
  private final List<ActorRef<ControlMessage>> servers = new ArrayList<>();

  /** Whoever is not to die begins after that, so that something is left for the others to do. */
  private final CountDownLatch oneDied = new CountDownLatch(1);

  private final CountDownLatch running = new CountDownLatch(1);
  private ActorSystem<Void> main;
  private ActorSystem<Void> other;
  private ActorRef<ControlMessage> coordinator;

  @BeforeEach
  void startCluster() {
    main =
        ControlPlane.start(
            ControlPlane.config(
                "127.0.0.1", 0, List.of(ControlPlane.COORDINATOR_ROLE, ControlPlane.SERVER_ROLE)),
            List.of());
    other =
        ControlPlane.start(
            ControlPlane.config("127.0.0.1", 0, List.of(ControlPlane.WORKER_ROLE)),
            List.of(ControlPlane.seed(main)));
    JobSpec job = TestJobs.job(2, 2, SyncMode.ASYNC, 0, false, 1, BATCH);
    List<Split> splits =
        IntStream.range(0, 10)
            .mapToObj(i -> new Split(0, i * LINES / 10, (i + 1) * LINES / 10))
            .toList();
    coordinator =
        CoordinatorActor.singleton(
            main,
            new CoordinatorActor.Job(
                job,
                TrainingData.ofPasses(splits, 1),
                new CoordinatorSettings(1, 4711, 200_000_000L),
                TRANSPORT,
                outcomes::add,
                progress -> running.countDown(),
                committed -> {}));
    for (int i = 0; i < 2; i++) {
      servers.add(main.systemActorOf(server(i), "server-" + i, Props.empty()));
    }
  }

  @AfterEach
  void stopCluster() throws Exception {
    for (ActorSystem<Void> system : List.of(other, main)) {
      system.terminate();
      system.getWhenTerminated().toCompletableFuture().get();
    }
  }

  @Test
  void shouldTrainEverythingOnceThoughAWorkerDies() throws Exception {
    startWorker(5);
    startWorker(Integer.MAX_VALUE);
    JobTrained trained = assertInstanceOf(JobTrained.class, outcome());
    assertEquals(LINES, trained.totals().samples());
    assertEquals(LINES, committed.stream().mapToLong(each -> each.range.samples()).sum());
    assertEquals(committed.size(), trained.totals().iterations());
    assertEquals(1, trained.workers().size(), "one has died");
    assertEquals(2, trained.servers().size());
  }

  @Test
  void shouldFailWhenTheLastWorkerDies() throws Exception {
    startWorker(5);
    startWorker(5);
    JobFailed failed = assertInstanceOf(JobFailed.class, outcome());
    assertTrue(failed.reason().contains("no worker is left"), failed.reason());
    assertEquals(1, failed.exitCode());
  }

  @Test
  void shouldLoseTheJobWhenASupervisorSawAServerEnd() throws Exception {
    oneDied.countDown();
    startWorker(Integer.MAX_VALUE);
    startWorker(Integer.MAX_VALUE);
    JobTrained trained = assertInstanceOf(JobTrained.class, outcome());
    assertEquals(2, trained.workers().size());
    coordinator.tell(new ProcessEnded(NodeId.server(1), 77, "signal 9"));
    coordinator.tell(new ProcessEnded(NodeId.server(1), 1, "signal 9"));
    JobLost lost = assertInstanceOf(JobLost.class, outcome());
    assertTrue(lost.reason().contains("signal 9"), lost.reason());
    assertTrue(lost.lost().getFirst().contains("server-1"), lost.lost().toString());
    assertEquals(4, lost.exitCode());
  }

  @Test
  void shouldDescribeTheJobToAProcessThatOnlyAsks() throws Exception {
    BlockingQueue<ControlMessage> answers = new LinkedBlockingQueue<>();
    ActorRef<ControlMessage> boss = CoordinatorActor.proxy(other);
    Behavior<ControlMessage> asker =
        Behaviors.setup(
            context -> {
              boss.tell(new DescribeJob(context.getSelf()));
              return Behaviors.receiveMessage(
                  message -> {
                    answers.add(message);
                    return Behaviors.same();
                  });
            });
    ActorRef<ControlMessage> unusedAsker = other.systemActorOf(asker, "asker", Props.empty());
    JobDescribed described =
        assertInstanceOf(JobDescribed.class, answers.poll(60, TimeUnit.SECONDS));
    assertEquals(2, described.job().servers());
    assertEquals(TRANSPORT, described.transport());
  }

  @Test
  void shouldTellWhenItIsStoppedBeforeTheEnd() throws Exception {
    assertTrue(running.await(60, TimeUnit.SECONDS), "no coordinator");
    main.terminate();
    JobFailed failed = assertInstanceOf(JobFailed.class, outcome());
    assertTrue(failed.reason().contains("coordinator was stopped"), failed.reason());
  }

  private JobOutcome outcome() throws InterruptedException {
    JobOutcome outcome = outcomes.poll(60, TimeUnit.SECONDS);
    assertTrue(outcome != null, "no outcome");
    return outcome;
  }

  private void startWorker(int batches) {
    long incarnation = incarnations.getAndIncrement();
    other.systemActorOf(worker(incarnation, batches), "worker-" + incarnation, Props.empty());
  }

  /** What both kinds of process do, again and again: registering is not answered at once. */
  private static void register(
      ActorContext<ControlMessage> context,
      ActorRef<ControlMessage> to,
      NodeId.Role role,
      long incarnation) {
    ControlMessage register = new Register(role, -1, incarnation, "", 1, context.getSelf());
    context
        .getSystem()
        .scheduler()
        .scheduleAtFixedRate(
            Duration.ZERO,
            Duration.ofMillis(500),
            () -> to.tell(register),
            context.getExecutionContext());
  }

  private Behavior<ControlMessage> server(int number) {
    return Behaviors.setup(
        context -> {
          ActorRef<ControlMessage> boss = CoordinatorActor.proxy(context.getSystem());
          register(context, boss, NodeId.Role.SERVER, number);
          NodeId[] self = new NodeId[1];
          return Behaviors.receive(ControlMessage.class)
              .onAnyMessage(
                  message -> {
                    if (message instanceof Registered registered) {
                      self[0] = registered.node();
                    }
                    if (message instanceof Stop) {
                      return Behaviors.stopped();
                    }
                    ControlMessage answer = answer(self[0], message);
                    if (answer != null) {
                      boss.tell(answer);
                    }
                    return Behaviors.same();
                  })
              .build();
        });
  }

  private ControlMessage answer(NodeId self, ControlMessage message) {
    return switch (message) {
      case StartServer start -> new ServerReady(self, 1);
      case AdoptEpoch adopt -> new EpochAdopted(self, adopt.map().epoch());
      case QueryWorker query ->
          new WorkerTransactions(
              self,
              query.worker(),
              query.incarnation(),
              0,
              committed.stream()
                  .filter(each -> each.incarnation == query.incarnation())
                  .map(Committed::sequence)
                  .toList(),
              List.of());
      case ResolveWorker resolve ->
          new WorkerResolved(self, resolve.worker(), resolve.incarnation());
      case QueryRanges query ->
          new CommittedRanges(
              self,
              query.query(),
              committed.stream()
                  .filter(each -> each.sequence % 2 == self.index())
                  .map(each -> new RangeRecord(each.range, 1))
                  .toList());
      case QueryStatistics query ->
          new ServerStatistics(self, 1, 2, 3, 4, 5, 6, RedundancyStatistics.NONE);
      default -> null;
    };
  }

  /** A worker whose batches are committed at once; it dies after so many of them. */
  private Behavior<ControlMessage> worker(long incarnation, int batches) {
    return Behaviors.setup(
        context -> {
          ActorRef<ControlMessage> boss = CoordinatorActor.proxy(context.getSystem());
          register(context, boss, NodeId.Role.WORKER, incarnation);
          NodeId[] self = new NodeId[1];
          long[] sequence = new long[1];
          long[] request = {1};
          return Behaviors.receive(ControlMessage.class)
              .onMessage(
                  Registered.class,
                  registered -> {
                    self[0] = registered.node();
                    return Behaviors.same();
                  })
              .onMessage(
                  StartWorker.class,
                  start -> {
                    if (batches == Integer.MAX_VALUE) {
                      oneDied.await();
                    }
                    boss.tell(new RequestLease(self[0], incarnation, request[0]));
                    return Behaviors.same();
                  })
              .onMessage(
                  LeaseGranted.class,
                  granted -> {
                    if (granted.request() != request[0]) {
                      return Behaviors.same();
                    }
                    Lease lease = granted.lease();
                    long done = 0;
                    for (long at = lease.from(); at < lease.to(); at += BATCH) {
                      if (sequence[0] == batches) {
                        oneDied.countDown();
                        return Behaviors.stopped();
                      }
                      sequence[0]++;
                      done++;
                      committed.add(
                          new Committed(
                              incarnation,
                              sequence[0],
                              new DataRange(0, 0, at, at + BATCH, BATCH, 0)));
                    }
                    boss.tell(
                        new LeaseDone(
                            self[0], incarnation, lease.id(), lease.to(), done, done * BATCH, 0));
                    boss.tell(new RequestLease(self[0], incarnation, ++request[0]));
                    return Behaviors.same();
                  })
              .onMessage(
                  NoMoreData.class,
                  none -> {
                    boss.tell(
                        new WorkerFinished(
                            self[0], incarnation, 0, sequence[0], Map.of(), Map.of()));
                    return Behaviors.same();
                  })
              .onMessage(Stop.class, stop -> Behaviors.stopped())
              .onAnyMessage(message -> Behaviors.same())
              .build();
        });
  }
}
