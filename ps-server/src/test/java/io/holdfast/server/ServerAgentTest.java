package io.holdfast.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.config.control.ControlMessage;
import io.holdfast.config.control.ServerControl;
import io.holdfast.config.job.CommitMode;
import io.holdfast.config.job.JobSpec;
import io.holdfast.config.job.Redundancy;
import io.holdfast.config.model.OptimizerKind;
import io.holdfast.config.placement.Member;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.placement.PlacementMap;
import io.holdfast.config.protocol.DataMessage;
import io.holdfast.config.protocol.Participants;
import io.holdfast.config.protocol.Payload;
import io.holdfast.config.protocol.RefusalReason;
import io.holdfast.config.transport.DataLink;
import io.holdfast.config.transport.Endpoint;
import io.holdfast.config.transport.InMemoryNetwork;
import io.holdfast.server.storage.MemorySettings;
import java.util.ArrayDeque;
import java.util.List;
import org.agrona.concurrent.AgentTerminationException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The agent's duty cycle, run inline, and a worker that speaks to it over frames. */
class ServerAgentTest {
  private static final NodeId SERVER = NodeId.server(0);
  private static final NodeId WORKER = NodeId.worker(0);

  private final JobSpec job =
      TestJobs.job(TestJobs.model(4, 50), OptimizerKind.ADAGRAD, 1, 1, 1 << 20);
  private final PlacementMap map = TestJobs.map(job);
  private final InMemoryNetwork network = new InMemoryNetwork();
  private final DataLink workerLink = network.open(WORKER);
  private final Endpoint worker = new Endpoint(new Member(WORKER, 200, ""), workerLink);
  private final ArrayDeque<ControlMessage> told = new ArrayDeque<>();
  private final ArrayDeque<Throwable> failures = new ArrayDeque<>();
  private final ServerAgent agent = agent(job);

  private ServerAgent agent(JobSpec job) {
    return new ServerAgent(
        new ServerControl.StartServer(SERVER, job, map),
        100,
        "",
        network.open(SERVER),
        MemorySettings.DEFAULT,
        () -> 0,
        told::add,
        failures::add);
  }

  @AfterEach
  void close() {
    workerLink.close();
    network.close();
  }

  private DataMessage ask(DataMessage message) {
    worker.send(SERVER, message);
    agent.doWork();
    ArrayDeque<DataMessage> answers = new ArrayDeque<>();
    worker.poll((from, answer) -> answers.add(answer), 10);
    assertEquals(1, answers.size());
    return answers.poll();
  }

  @Test
  void shouldServeOverFramesAndObeyTheCoordinator() {
    agent.onStart();
    assertEquals(new ServerControl.ServerReady(SERVER, 50 * (64 + 4) + 4096), told.poll());
    worker.adopt(map);
    DataMessage.Stage stage =
        new DataMessage.StageRows(
            CoreHarness.header(0, 1, 0, 0, 1),
            Participants.of(0),
            Payload.of(TestJobs.ids(3, 5)),
            Payload.of(TestJobs.fill(8, 1f)));
    assertEquals(new DataMessage.Staged(CoreHarness.tx(0, 1), 0), ask(stage));
    assertEquals(
        new DataMessage.Applied(CoreHarness.tx(0, 1), 0),
        ask(new DataMessage.Commit(CoreHarness.tx(0, 1), 0, 0)));
    assertInstanceOf(
        DataMessage.Rows.class, ask(new DataMessage.Pull(1, Payload.of(TestJobs.ids(3)))));

    PlacementMap next = new PlacementMap(map.epoch().next(), map.sessionKey(), map.members());
    agent.submit(new ServerControl.AdoptEpoch(next));
    agent.doWork();
    assertEquals(new ServerControl.EpochAdopted(SERVER, next.epoch()), told.poll());
    DataMessage.Refused refused = assertInstanceOf(DataMessage.Refused.class, ask(stage));
    assertEquals(RefusalReason.STALE_EPOCH, refused.reason());

    agent.submit(new ServerControl.QueryStatistics());
    agent.doWork();
    ServerControl.ServerStatistics statistics =
        assertInstanceOf(ServerControl.ServerStatistics.class, told.poll());
    assertEquals(1, statistics.transactions());
    assertEquals(2, statistics.rowsUpdated());
    assertEquals(1, statistics.framesRefused());

    // A coordinator that missed the answer starts it again.
    agent.submit(new ServerControl.StartServer(SERVER, job, map));
    agent.doWork();
    assertInstanceOf(ServerControl.ServerReady.class, told.poll());
    assertEquals(List.of(), List.copyOf(failures));
    agent.onClose();
  }

  @Test
  void shouldReportWhatEndsIt() {
    agent.onStart();
    worker.adopt(map);
    worker.send(
        SERVER,
        new DataMessage.StageRows(
            CoreHarness.header(0, 1, 0, 0, 2),
            Participants.of(0),
            Payload.of(TestJobs.ids(3)),
            Payload.of(TestJobs.fill(4, 1f))));
    agent.doWork();
    agent.submit(new ServerControl.ResolveWorker(WORKER, 200, List.of(1L)));
    assertThrows(AgentTerminationException.class, agent::doWork);
    assertTrue(failures.poll().getMessage().contains("is to be committed"));
    agent.onClose();
  }

  @Test
  void shouldRefuseToStartWhatTheLinkCannotCarry() {
    agent.onClose();
    JobSpec huge = withShards(job, 5 << 20);
    ServerAgent other = agent(huge);
    assertThrows(AgentTerminationException.class, other::onStart);
    String reason = failures.poll().getMessage();
    assertTrue(reason.contains("smaller NN shards"), reason);
    other.onClose();
  }

  private static JobSpec withShards(JobSpec job, int floats) {
    io.holdfast.config.model.ModelSpec wide =
        new io.holdfast.config.model.ModelSpec(
            "wide",
            4,
            List.of(3, 1 << 20, 4),
            List.of(1),
            job.model().interaction(),
            job.model().tables());
    return new JobSpec(
        wide,
        job.optimizer(),
        job.learningRate(),
        job.seed(),
        1,
        1,
        Redundancy.NONE,
        CommitMode.TWO_PHASE,
        floats,
        job.batch(),
        job.sync(),
        0,
        false,
        job.window(),
        job.denseEngine(),
        1,
        job.stagedBytesMax(),
        job.retryNanos(),
        job.messageBytesMax(),
        job.data());
  }
}
