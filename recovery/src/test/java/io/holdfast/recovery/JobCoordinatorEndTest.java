package io.holdfast.recovery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import io.holdfast.config.control.ControlMessage;
import io.holdfast.config.control.Register;
import io.holdfast.config.job.SyncMode;
import io.holdfast.config.placement.NodeId;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class JobCoordinatorEndTest {
  @Test
  void shouldTakeTheDeathsOfProcessesThatItStoppedForGranted() {
    List<JobOutcome> outcomes = new ArrayList<>();
    JobCoordinator coordinator =
        new JobCoordinator(
            TestJobs.job(2, 1, SyncMode.ASYNC, 0, false, 3, 8),
            TrainingData.ofPasses(List.of(new Split(0, 0, 10)), 1),
            new CoordinatorSettings(1, 7, 1_000_000),
            new CoordinatorEffects() {
              @Override
              public void named(NodeId node, long incarnation) {}

              @Override
              public void send(NodeId to, ControlMessage message) {}

              @Override
              public void toUnregistered(long incarnation, ControlMessage message) {}

              @Override
              public void outcome(JobOutcome outcome) {
                outcomes.add(outcome);
              }

              @Override
              public void progress(JobProgress progress) {}
            });
    for (int i = 0; i < 2; i++) {
      coordinator.on(new Register(NodeId.Role.SERVER, i, 100 + i, "", 1, null), 0);
    }
    coordinator.on(new Register(NodeId.Role.WORKER, 0, 200, "", 1, null), 0);
    coordinator.onStop("enough");
    for (int i = 0; i < 2; i++) {
      coordinator.onNodeDown(NodeId.server(i), 100 + i, "it was stopped", 1);
    }
    coordinator.onNodeDown(NodeId.worker(0), 200, "it was stopped", 1);

    assertEquals(JobPhase.OVER, coordinator.phase());
    assertEquals(1, outcomes.size());
    assertInstanceOf(JobOutcome.JobFailed.class, outcomes.getFirst());
  }
}
