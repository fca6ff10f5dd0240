package io.holdfast.recovery;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class StepGateTest {
  private final List<String> said = new ArrayList<>();

  private StepGate gate(int staleness, boolean turns) {
    return new StepGate(
        staleness,
        turns,
        new StepGate.Signals() {
          @Override
          public void stepOpened(int worker, long step) {
            said.add(worker + " opens " + step);
          }

          @Override
          public void commitGranted(int worker, long step) {
            said.add(worker + " commits " + step);
          }
        });
  }

  private List<String> takeSaid() {
    List<String> taken = List.copyOf(said);
    said.clear();
    return taken;
  }

  @Test
  void shouldGrantNoCommitBeforeAllHavePulled() {
    StepGate gate = gate(0, true);
    gate.join(0);
    gate.join(1);
    gate.onStart(0, 1);
    gate.onStart(1, 1);
    takeSaid();
    gate.onReady(0, 1);
    assertEquals(List.of(), takeSaid(), "worker-1 may still be pulling");
    gate.onReady(1, 1);
    assertEquals(List.of("0 commits 1"), takeSaid());
    gate.onDone(0, 1);
    assertEquals(List.of("1 commits 1"), takeSaid());
  }

  @Test
  void shouldNotWaitForThoseWithoutData() {
    StepGate gate = gate(0, true);
    gate.join(0);
    gate.join(1);
    gate.join(2);
    gate.onStart(0, 1);
    gate.onStart(1, 1);
    gate.onReady(0, 1);
    gate.onReady(1, 1);
    takeSaid();
    gate.idle(2);
    assertEquals(List.of("0 commits 1"), takeSaid());
    gate.leave(0);
    assertEquals(List.of("1 commits 1"), takeSaid());
  }

  @Test
  void shouldSayAgainWhatWasAskedAgain() {
    StepGate gate = gate(0, true);
    gate.join(0);
    gate.onStart(0, 1);
    gate.onStart(0, 1);
    assertEquals(List.of("0 opens 1", "0 opens 1"), takeSaid());
    gate.onReady(0, 1);
    gate.onReady(0, 1);
    assertEquals(List.of("0 commits 1", "0 commits 1"), takeSaid());
    gate.onDone(0, 1);
    gate.onDone(0, 1);
    gate.onReady(0, 1);
    gate.onStart(0, 1);
    assertEquals(List.of(), takeSaid());
  }

  @Test
  void shouldOpenNoStepFurtherAheadThanTheStaleness() {
    StepGate gate = gate(1, false);
    gate.join(0);
    gate.join(1);
    gate.onStart(0, 1);
    gate.onDone(0, 1);
    gate.onStart(0, 2);
    gate.onDone(0, 2);
    assertEquals(List.of("0 opens 1", "0 opens 2"), takeSaid());
    gate.onStart(0, 3);
    assertEquals(List.of(), takeSaid());
    gate.onStart(1, 1);
    gate.onDone(1, 1);
    assertEquals(List.of("1 opens 1", "0 opens 3"), takeSaid());
  }
}
