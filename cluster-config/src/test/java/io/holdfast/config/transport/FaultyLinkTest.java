package io.holdfast.config.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.config.fault.LinkFault;
import io.holdfast.config.fault.LinkFaults;
import io.holdfast.config.placement.Epoch;
import io.holdfast.config.placement.Member;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.placement.PlacementMap;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A link without faults is as good as any; and what becomes of frames on one that has some. */
class FaultyLinkTest extends DataLinkContractTest {
  private static final NodeId A = NodeId.server(0);
  private static final NodeId B = NodeId.server(1);
  private static final NodeId C = NodeId.server(2);

  private final InMemoryNetwork network = new InMemoryNetwork();
  private final LinkFaults faults = new LinkFaults();
  private long now = 1;

  @Override
  LinkFactory processOf(NodeId node) {
    return new FaultyLinks(network, faults);
  }

  @Override
  void closeProcesses() {
    network.close();
  }

  private static void send(DataLink from, NodeId to, int number) {
    Frame frame = from.frames().take(64);
    frame.segment().set(ValueLayout.JAVA_INT_UNALIGNED, 0, number);
    frame.lengthBytes(64);
    assertTrue(from.offer(to, frame));
  }

  private static List<Integer> received(DataLink at) {
    List<Integer> numbers = new ArrayList<>();
    int count = at.poll(frame -> numbers.add(frame.get(ValueLayout.JAVA_INT_UNALIGNED, 0)), 100);
    assertEquals(count, numbers.size());
    return numbers;
  }

  @Test
  void shouldLoseFramesToOnePeerUntilTheWayHeals() {
    try (DataLink a = new FaultyLink(network.open(A), faults, () -> now);
        DataLink b = network.open(B);
        DataLink c = network.open(C)) {
      faults.set(B, new LinkFault(true, 0), 1000);
      send(a, B, 1);
      send(a, C, 2);
      now = 999;
      send(a, B, 3);
      now = 1000;
      send(a, B, 4);
      assertEquals(List.of(4), received(b));
      assertEquals(List.of(2), received(c));
      assertEquals(0, a.frames().usedBytes(), "what was lost is given back");
    }
  }

  @Test
  void shouldBeLateAndKeepTheOrderEvenAcrossTheEndOfTheDelay() {
    try (DataLink a = new FaultyLink(network.open(A), faults, () -> now);
        DataLink b = network.open(B)) {
      faults.set(B, new LinkFault(false, 50), 100);
      send(a, B, 1);
      now = 99;
      send(a, B, 2);
      assertEquals(List.of(1), received(b));
      now = 120; // No delay any more, but one frame is still late.
      send(a, B, 3);
      assertEquals(List.of(), received(b));
      now = 149;
      assertEquals(List.of(), received(a));
      assertEquals(List.of(2, 3), received(b));
    }
  }

  @Test
  void shouldGiveBackWhatIsLateForAPeerThatIsGone() {
    try (DataLink a = new FaultyLink(network.open(A), faults, () -> now);
        DataLink b = network.open(B)) {
      faults.set(B, new LinkFault(false, 50));
      send(a, B, 1);
      a.connect(new PlacementMap(new Epoch(1, 2), 0, List.of(new Member(A, 1, ""))));
      now = 1000;
      assertEquals(List.of(), received(a));
      assertEquals(List.of(), received(b));
      assertEquals(0, a.frames().usedBytes());
    }
  }
}
