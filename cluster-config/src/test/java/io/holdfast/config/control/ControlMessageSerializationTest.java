package io.holdfast.config.control;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import akka.actor.typed.ActorRef;
import akka.actor.typed.ActorSystem;
import akka.actor.typed.javadsl.Behaviors;
import akka.serialization.Serialization;
import akka.serialization.SerializationExtension;
import akka.serialization.Serializers;
import io.holdfast.config.control.JobControl.JobDescribed;
import io.holdfast.config.control.JobControl.MapForReader;
import io.holdfast.config.control.JobControl.ProcessEnded;
import io.holdfast.config.control.JobControl.Registered;
import io.holdfast.config.control.JobControl.RegistrationRefused;
import io.holdfast.config.control.JobControl.Stop;
import io.holdfast.config.control.ServerControl.AdoptEpoch;
import io.holdfast.config.control.ServerControl.CommittedRanges;
import io.holdfast.config.control.ServerControl.CopyProgress;
import io.holdfast.config.control.ServerControl.CopyState;
import io.holdfast.config.control.ServerControl.EpochAdopted;
import io.holdfast.config.control.ServerControl.HandOver;
import io.holdfast.config.control.ServerControl.QueryCopy;
import io.holdfast.config.control.ServerControl.QueryRanges;
import io.holdfast.config.control.ServerControl.QueryStatistics;
import io.holdfast.config.control.ServerControl.QueryWorker;
import io.holdfast.config.control.ServerControl.RangeRecord;
import io.holdfast.config.control.ServerControl.ResolveWorker;
import io.holdfast.config.control.ServerControl.ServerFailed;
import io.holdfast.config.control.ServerControl.ServerReady;
import io.holdfast.config.control.ServerControl.ServerStatistics;
import io.holdfast.config.control.ServerControl.StartServer;
import io.holdfast.config.control.ServerControl.WorkerResolved;
import io.holdfast.config.control.ServerControl.WorkerTransactions;
import io.holdfast.config.control.WorkerControl.CommitGranted;
import io.holdfast.config.control.WorkerControl.EpochCommitted;
import io.holdfast.config.control.WorkerControl.Lease;
import io.holdfast.config.control.WorkerControl.LeaseClosed;
import io.holdfast.config.control.WorkerControl.LeaseDone;
import io.holdfast.config.control.WorkerControl.LeaseGranted;
import io.holdfast.config.control.WorkerControl.NoMoreData;
import io.holdfast.config.control.WorkerControl.RequestLease;
import io.holdfast.config.control.WorkerControl.StartWorker;
import io.holdfast.config.control.WorkerControl.StepDone;
import io.holdfast.config.control.WorkerControl.StepOpened;
import io.holdfast.config.control.WorkerControl.StepReady;
import io.holdfast.config.control.WorkerControl.StepStart;
import io.holdfast.config.control.WorkerControl.WorkerEpoch;
import io.holdfast.config.control.WorkerControl.WorkerFailed;
import io.holdfast.config.control.WorkerControl.WorkerFinished;
import io.holdfast.config.control.WorkerControl.WorkerProgress;
import io.holdfast.config.job.CommitMode;
import io.holdfast.config.job.DataSpec;
import io.holdfast.config.job.JobSpec;
import io.holdfast.config.job.LearningRate;
import io.holdfast.config.job.Packing;
import io.holdfast.config.job.Redundancy;
import io.holdfast.config.job.SyncMode;
import io.holdfast.config.model.OptimizerKind;
import io.holdfast.config.model.OptimizerSpec;
import io.holdfast.config.model.Presets;
import io.holdfast.config.placement.Epoch;
import io.holdfast.config.placement.Member;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.placement.PlacementMap;
import io.holdfast.config.protocol.DataRange;
import io.holdfast.config.settings.LinkKind;
import io.holdfast.config.settings.TransportSettings;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Every control message survives Akka's serializer as the cluster's settings bind it. */
final class ControlMessageSerializationTest {
  private static final NodeId SERVER = NodeId.server(2);
  private static final NodeId WORKER = NodeId.worker(1);
  private static final PlacementMap MAP =
      new PlacementMap(
          new Epoch(3, 4),
          Long.MIN_VALUE,
          List.of(new Member(SERVER, -5, "host:1234"), new Member(WORKER, Long.MAX_VALUE, "")));

  private static ActorSystem<Void> system;

  @BeforeAll
  static void start() {
    system =
        ControlPlane.start(
            ControlPlane.config("127.0.0.1", 0, List.of(ControlPlane.SERVER_ROLE)), List.of());
  }

  @AfterAll
  static void stop() throws Exception {
    system.terminate();
    system.getWhenTerminated().toCompletableFuture().get();
  }

  @Test
  void shouldKeepEveryMessageWhole() {
    Serialization serialization = SerializationExtension.get(system);
    Set<Class<?>> seen = new HashSet<>();
    for (ControlMessage message : samples()) {
      seen.add(message.getClass());
      var serializer = serialization.findSerializerFor(message);
      assertEquals("JacksonCborSerializer", serializer.getClass().getSimpleName());
      byte[] bytes = serialization.serialize(message).get();
      Object back =
          serialization
              .deserialize(
                  bytes, serializer.identifier(), Serializers.manifestFor(serializer, message))
              .get();
      assertEquals(message, back);
    }
    Set<Class<?>> all = new HashSet<>();
    all.addAll(List.of(Register.class, DescribeJob.class));
    for (Class<?> holder : List.of(JobControl.class, ServerControl.class, WorkerControl.class)) {
      for (Class<?> nested : holder.getDeclaredClasses()) {
        if (ControlMessage.class.isAssignableFrom(nested)) {
          all.add(nested);
        }
      }
    }
    assertEquals(all, seen, "every kind of message has a sample here");
  }

  @Test
  void shouldFitManyRangesIntoAFrame() {
    List<RangeRecord> ranges =
        IntStream.range(0, 100_000)
            .mapToObj(
                i -> new RangeRecord(new DataRange(0, i % 3, i * 7919L, i * 7919L + 999, 17, 1), 3))
            .toList();
    byte[] bytes =
        SerializationExtension.get(system).serialize(new CommittedRanges(SERVER, 1, ranges)).get();
    long frame =
        system.settings().config().getBytes("akka.remote.artery.advanced.maximum-frame-size");
    assertTrue(bytes.length < frame / 2, bytes.length + " of " + frame + " bytes");
  }

  private static List<ControlMessage> samples() {
    ActorRef<ControlMessage> actor =
        system.systemActorOf(Behaviors.empty(), "process", akka.actor.typed.Props.empty());
    JobSpec job =
        new JobSpec(
            Presets.named("kaggle"),
            OptimizerSpec.of(OptimizerKind.ADAM),
            new LearningRate(0.1f, 5, 10, 20, 2, 0.001f),
            -7,
            3,
            2,
            new Redundancy("rs", 2, 1, 2, true, 1 << 20, Packing.ON, 77, 88),
            CommitMode.ONE_PHASE,
            4096,
            2048,
            SyncMode.BOUNDED,
            3,
            false,
            2,
            "nd4j",
            1,
            1L << 33,
            1_000_000_000L,
            1 << 20,
            new DataSpec(List.of("/a b/c.tsv", "ü.gz"), List.of(1L, 1L << 40), true, 10, ""));
    return List.of(
        new Register(NodeId.Role.SERVER, -1, Long.MIN_VALUE, "host:1", 42, actor),
        new Registered(NodeId.reader(3)),
        new RegistrationRefused("there are enough"),
        new DescribeJob(actor),
        new MapForReader(MAP),
        new JobDescribed(
            job,
            new TransportSettings(
                Optional.of(LinkKind.IPC), true, Optional.of("/dev/shm/x"), 0, 1, 2, 3)),
        new ProcessEnded(WORKER, 42, "signal 9"),
        new Stop("done"),
        new StartServer(SERVER, job, MAP),
        new ServerReady(SERVER, 1L << 40),
        new ServerFailed(SERVER, 5, "no memory"),
        new AdoptEpoch(MAP),
        new EpochAdopted(SERVER, new Epoch(3, 4)),
        new QueryWorker(WORKER, 5),
        new WorkerTransactions(SERVER, WORKER, 5, 7, List.of(8L, 1L << 40), List.of()),
        new ResolveWorker(WORKER, 5, List.of(8L)),
        new WorkerResolved(SERVER, WORKER, 5),
        new QueryRanges(6),
        new CommittedRanges(
            SERVER, 6, List.of(new RangeRecord(new DataRange(1, 2, 3, 1L << 40, 5, 6), 7))),
        new HandOver(SERVER, 5),
        new QueryCopy(),
        new CopyProgress(SERVER, 5, 6, CopyState.COPIED, 0.5, 7),
        new QueryStatistics(),
        new ServerStatistics(
            SERVER,
            1,
            2,
            3,
            4,
            5,
            6,
            new RedundancyStatistics(7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17)),
        new StartWorker(WORKER, job, MAP),
        new WorkerEpoch(MAP),
        new RequestLease(WORKER, 5, 9),
        new LeaseGranted(9, new Lease(1, 2, 3, 4, 5, Long.MAX_VALUE)),
        new NoMoreData(),
        new LeaseDone(WORKER, 5, 1, 2, 3, 4, 5),
        new LeaseClosed(1),
        new StepStart(WORKER, 5, 6),
        new StepOpened(6),
        new StepReady(WORKER, 5, 6),
        new CommitGranted(6),
        new StepDone(WORKER, 5, 6),
        new WorkerProgress(WORKER, 5, 6, 7, 0.5, Double.NaN),
        new EpochCommitted(WORKER, 5, (1L << 32) + 6),
        new WorkerFinished(WORKER, 5, 6, 7, Map.of("pull", 1L), Map.of("push", 1L << 40)),
        new WorkerFailed(WORKER, 5, "data", "bad line"));
  }
}
