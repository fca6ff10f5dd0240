package io.holdfast.recovery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.config.control.ControlMessage;
import io.holdfast.config.control.ServerControl.CommittedRanges;
import io.holdfast.config.control.ServerControl.EpochAdopted;
import io.holdfast.config.control.ServerControl.QueryWorker;
import io.holdfast.config.control.ServerControl.RangeRecord;
import io.holdfast.config.control.ServerControl.ResolveWorker;
import io.holdfast.config.control.ServerControl.WorkerResolved;
import io.holdfast.config.control.ServerControl.WorkerTransactions;
import io.holdfast.config.placement.Epoch;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.protocol.DataRange;
import io.holdfast.recovery.WorkerTermination.State;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Worker 0 died in epoch 2; server 2 of three may be lost in epoch 3. */
final class WorkerTerminationTest {
  private static final NodeId WORKER = NodeId.worker(0);
  private static final NodeId DYING = NodeId.server(2);
  private static final Epoch FIRST = new Epoch(1, 2);
  private static final Epoch SECOND = new Epoch(1, 3);

  private record Sent(int server, ControlMessage message) {}

  private final List<Sent> sent = new ArrayList<>();
  private final WorkerTermination termination =
      new WorkerTermination(
          WORKER,
          20,
          FIRST,
          List.of(NodeId.server(0), NodeId.server(1), DYING),
          7,
          100,
          (to, message) -> sent.add(new Sent(to.index(), message)));

  @Test
  void shouldNotWaitForALostServerToAdoptTheFence() {
    adopt(0, FIRST);
    adopt(1, FIRST);
    lose();
    adopt(0, FIRST);
    assertEquals(State.FENCING, termination.state());
    adopt(0, SECOND);
    adopt(0, SECOND);
    assertEquals(State.FENCING, termination.state());
    adopt(1, SECOND);
    assertEquals(State.QUERYING, termination.state());
    assertEquals(List.of(0, 1), asked(QueryWorker.class));
  }

  @Test
  void shouldAskAllAgainWhatTheyKnowOnceTheyHaveTheEpochWithoutTheLostServer() {
    adoptAll(FIRST);
    know(0, 0, List.of(), List.of(1L));
    know(1, 0, List.of(), List.of(1L));
    lose();
    sent.clear();
    know(0, 0, List.of(), List.of(1L));
    termination.tick(1_000);
    assertTrue(sent.isEmpty(), "the epoch is repeated by others: " + sent);
    adoptAll(SECOND);
    assertEquals(List.of(0, 1), asked(QueryWorker.class));
    know(0, 0, List.of(), List.of(1L));
    // Folded from the lost one after the first answer.
    know(1, 0, List.of(1L), List.of());
    assertEquals(List.of(1L), decision());
  }

  @Test
  void shouldDropWhatOnlyTheLostServerKnewToBeCommitted() {
    adoptAll(FIRST);
    know(2, 0, List.of(1L, 2L), List.of());
    lose();
    know(2, 0, List.of(1L, 2L), List.of());
    adoptAll(SECOND);
    know(2, 0, List.of(1L, 2L), List.of());
    know(0, 0, List.of(1L), List.of(2L));
    know(1, 0, List.of(), List.of(1L, 2L));
    assertEquals(List.of(1L), decision());
  }

  @Test
  void shouldKeepADecisionAndResolveAgain() {
    toResolving();
    resolved(0);
    lose();
    resolved(1);
    assertEquals(State.FENCING, termination.state());
    sent.clear();
    adoptAll(SECOND);
    assertTrue(asked(QueryWorker.class).isEmpty());
    assertEquals(List.of(1L), decision());
    assertEquals(List.of(0, 1), asked(ResolveWorker.class));
    resolved(0);
    assertEquals(State.RESOLVING, termination.state());
    resolved(1);
    assertEquals(State.COUNTING, termination.state());
  }

  @Test
  void shouldCountAgainUnderAnotherNumber() {
    toResolving();
    resolved(0);
    resolved(1);
    resolved(2);
    ranges(2, 7, 0, 10);
    ranges(0, 7, 10, 20);
    lose();
    ranges(1, 7, 20, 30);
    adoptAll(SECOND);
    resolved(0);
    resolved(1);
    assertEquals(State.COUNTING, termination.state());
    ranges(2, 8, 0, 10);
    ranges(0, 7, 10, 20);
    ranges(1, 7, 20, 30);
    ranges(0, 8, 0, 20);
    assertEquals(State.COUNTING, termination.state());
    ranges(1, 8, 20, 30);
    assertTrue(termination.done());
    assertEquals(List.of(new Span(0, 0, 0, 30)), termination.committedData().spans());
    assertEquals(4, termination.transactions());
    assertEquals(1, termination.atRisk(), "three are below the watermark");
  }

  @Test
  void shouldBearTwoLosses() {
    toResolving();
    lose();
    termination.onServers(List.of(NodeId.server(1)), new Epoch(1, 4), 9);
    adopt(1, SECOND);
    assertEquals(State.FENCING, termination.state());
    adopt(1, new Epoch(1, 5));
    resolved(1);
    ranges(1, 9, 0, 10);
    assertTrue(termination.done());
    termination.onServers(List.of(), new Epoch(1, 6), 10);
    assertTrue(termination.done());
  }

  @Test
  void shouldAskWhoeverTookTheLostServersPlace() {
    adopt(0, FIRST);
    adopt(1, FIRST);
    lose();
    adopt(0, SECOND);
    adopt(1, SECOND);
    assertEquals(List.of(0, 1), asked(QueryWorker.class));
    termination.onServers(List.of(NodeId.server(0), NodeId.server(1), DYING), new Epoch(1, 4), 9);
    for (int server = 0; server < 3; server++) {
      adopt(server, new Epoch(1, 4));
    }
    assertEquals(State.QUERYING, termination.state());
    assertEquals(List.of(0, 1, 0, 1, 2), asked(QueryWorker.class));
  }

  /** Transactions 1 to 3 lie below the watermark, 4 is decided, 5 is not. */
  private void toResolving() {
    adoptAll(FIRST);
    adopt(2, FIRST);
    know(0, 3, List.of(4L), List.of(5L));
    know(1, 3, List.of(), List.of());
    know(2, 0, List.of(), List.of(1L));
    assertEquals(State.RESOLVING, termination.state());
    assertEquals(List.of(0, 1, 2), asked(ResolveWorker.class));
  }

  private List<Long> decision() {
    assertEquals(State.RESOLVING, termination.state());
    return sent.stream()
        .map(Sent::message)
        .filter(ResolveWorker.class::isInstance)
        .map(ResolveWorker.class::cast)
        .reduce((one, other) -> other)
        .orElseThrow()
        .committed()
        .stream()
        .filter(sequence -> sequence != 4)
        .toList();
  }

  private List<Integer> asked(Class<? extends ControlMessage> type) {
    return sent.stream().filter(each -> type.isInstance(each.message)).map(Sent::server).toList();
  }

  private void lose() {
    termination.onServers(List.of(NodeId.server(0), NodeId.server(1)), SECOND, 8);
  }

  private void adopt(int server, Epoch epoch) {
    termination.on(new EpochAdopted(NodeId.server(server), epoch), 0);
  }

  private void adoptAll(Epoch epoch) {
    for (int server = 0; server < 3; server++) {
      adopt(server, epoch);
    }
  }

  private void know(int server, long watermark, List<Long> decided, List<Long> undecided) {
    termination.on(
        new WorkerTransactions(NodeId.server(server), WORKER, 20, watermark, decided, undecided),
        0);
  }

  private void resolved(int server) {
    termination.on(new WorkerResolved(NodeId.server(server), WORKER, 20), 0);
  }

  private void ranges(int server, long query, long from, long to) {
    RangeRecord record = new RangeRecord(new DataRange(0, 0, from, to, 1, 0), 1);
    termination.on(new CommittedRanges(NodeId.server(server), query, List.of(record)), 0);
  }
}
