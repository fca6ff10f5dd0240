package io.holdfast.recovery;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class StepGateTest {
  private final List<String> said = new ArrayList<>();
  private final StepGate.Signals signals =
      new StepGate.Signals() {
        @Override
        public void stepOpened(int worker, long step) {
          said.add("open " + worker + " " + step);
        }

        @Override
        public void commitGranted(int worker, long step) {
          said.add("commit " + worker + " " + step);
        }
      };

  private List<String> take() {
    List<String> taken = List.copyOf(said);
    said.clear();
    return taken;
  }

  @Test
  void shouldGrantNoCommitWhileAnotherWorkerMayStillPullForTheSameStep() {
    StepGate gate = new StepGate(0, true, signals);
    gate.join(0);
    gate.join(1);
    gate.onStart(0, 1);
    gate.onStart(1, 1);
    assertEquals(List.of("open 0 1", "open 1 1"), take());

    gate.onReady(0, 1);
    assertEquals(List.of(), take(), "worker 1 may still be pulling");
    gate.onReady(1, 1);
    assertEquals(List.of("commit 0 1"), take());
    gate.onStart(0, 2);
    gate.onDone(0, 1);
    assertEquals(List.of("commit 1 1"), take());
    gate.onDone(1, 1);
    assertEquals(List.of("open 0 2"), take());

    gate.onReady(0, 2);
    assertEquals(List.of(), take(), "worker 1 is about to start its step");
    gate.leave(1);
    assertEquals(List.of("commit 0 2"), take());
  }
}
