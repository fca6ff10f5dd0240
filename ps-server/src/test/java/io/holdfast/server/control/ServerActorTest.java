package io.holdfast.server.control;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import akka.actor.testkit.typed.javadsl.ActorTestKit;
import akka.actor.testkit.typed.javadsl.TestProbe;
import akka.actor.typed.ActorRef;
import io.holdfast.config.control.ControlMessage;
import io.holdfast.config.control.JobControl;
import io.holdfast.config.control.Register;
import io.holdfast.config.control.ServerControl;
import io.holdfast.config.job.JobSpec;
import io.holdfast.config.model.ModelSpec;
import io.holdfast.config.model.OptimizerKind;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.placement.PlacementMap;
import io.holdfast.config.transport.InMemoryNetwork;
import io.holdfast.server.TestJobs;
import io.holdfast.server.storage.MemorySettings;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

class ServerActorTest {
  private static final ActorTestKit KIT = ActorTestKit.create();
  private static final NodeId SERVER = NodeId.server(0);
  private static final Duration LONG = Duration.ofSeconds(30);

  private final InMemoryNetwork network = new InMemoryNetwork();
  private final TestProbe<ControlMessage> coordinator = KIT.createTestProbe(ControlMessage.class);

  @AfterAll
  static void shutDown() {
    KIT.shutdownTestKit();
  }

  private ActorRef<ControlMessage> spawn() {
    return KIT.spawn(
        ServerActor.create(coordinator.ref(), network, 3, 100, MemorySettings.DEFAULT));
  }

  private <T extends ControlMessage> T expect(Class<T> type) {
    return coordinator.expectMessageClass(type, LONG);
  }

  @Test
  void shouldRegisterServeAndStop() {
    ActorRef<ControlMessage> server = spawn();
    Register first = expect(Register.class);
    assertEquals(NodeId.Role.SERVER, first.role());
    assertEquals(3, first.preferredIndex());
    assertEquals(100, first.incarnation());
    assertEquals(server, first.actor());
    assertEquals(first, expect(Register.class), "until it is answered");
    server.tell(new JobControl.Registered(SERVER));
    JobSpec job = TestJobs.job(TestJobs.model(4, 50), OptimizerKind.SGD, 1, 1, 1 << 20);
    PlacementMap map = TestJobs.map(job);
    server.tell(new ServerControl.StartServer(SERVER, job, map));
    ControlMessage answer = coordinator.receiveMessage(LONG);
    while (answer instanceof Register) {
      answer = coordinator.receiveMessage(LONG); // Sent before the server knew.
    }
    assertEquals(SERVER, ((ServerControl.ServerReady) answer).server());
    server.tell(new ServerControl.AdoptEpoch(map.without(NodeId.worker(0))));
    assertEquals(map.epoch().next(), expect(ServerControl.EpochAdopted.class).epoch());
    server.tell(new ServerControl.QueryWorker(NodeId.worker(0), 200));
    assertEquals(0, expect(ServerControl.WorkerTransactions.class).watermark());
    server.tell(new JobControl.Stop("the job is done"));
    coordinator.expectTerminated(server, LONG);
    network.close(); // Throws if a link is open.
  }

  @Test
  void shouldReportAFailureAndStop() {
    ActorRef<ControlMessage> server = spawn();
    expect(Register.class);
    server.tell(new JobControl.Registered(SERVER));
    ModelSpec impossible = TestJobs.model(128, 1L << 40);
    JobSpec job = TestJobs.job(impossible, OptimizerKind.ADAM, 1, 1, 1 << 20);
    server.tell(new ServerControl.StartServer(SERVER, job, TestJobs.map(job)));
    ServerControl.ServerFailed failed = expect(ServerControl.ServerFailed.class);
    assertEquals(SERVER, failed.server());
    assertEquals(100, failed.incarnation());
    assertTrue(failed.reason().contains("cannot take"), failed.reason());
    coordinator.expectTerminated(server, LONG);
    network.close();
  }

  @Test
  void shouldStopWhenItIsNotNeeded() {
    ActorRef<ControlMessage> server = spawn();
    expect(Register.class);
    server.tell(new JobControl.RegistrationRefused("there are enough servers"));
    coordinator.expectTerminated(server, LONG);
    network.close();
  }
}
