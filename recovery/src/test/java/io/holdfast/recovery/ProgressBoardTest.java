package io.holdfast.recovery;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.holdfast.config.control.WorkerControl.WorkerProgress;
import io.holdfast.config.placement.NodeId;
import java.util.List;
import org.junit.jupiter.api.Test;

class ProgressBoardTest {
  @Test
  void shouldCountADeadWorkersWorkButNotItsLoss() {
    ProgressBoard board = new ProgressBoard();
    board.on(new WorkerProgress(NodeId.worker(0), 10, 100, 1, 60.0, 0.5));
    board.on(new WorkerProgress(NodeId.worker(1), 11, 100, 1, 0.5, 0.7));
    board.dead(10);

    JobProgress progress = board.progress(JobPhase.TRAINING, 1, 1, List.of(NodeId.server(2)), null);

    assertEquals(List.of(NodeId.server(2)), progress.lost());
    assertEquals(200, progress.samples());
    assertEquals(0.5, progress.loss());
    assertEquals(0.7, progress.auc());
  }
}
