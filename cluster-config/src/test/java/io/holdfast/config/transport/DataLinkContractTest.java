package io.holdfast.config.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.config.placement.Epoch;
import io.holdfast.config.placement.Member;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.placement.PlacementMap;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What every link must do, run against each of them. The timeout only ends what hangs. */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
abstract class DataLinkContractTest {
  private static final NodeId A = NodeId.worker(0);
  private static final NodeId B = NodeId.server(0);
  private static final int HEADER_BYTES = 16;

  private final Map<NodeId, LinkFactory> factories = new LinkedHashMap<>();
  private final List<DataLink> open = new ArrayList<>();
  private final List<FramePool> pools = new ArrayList<>();

  /** The factory of the process in which a node runs. The test closes what it opened. */
  abstract LinkFactory processOf(NodeId node);

  /** Closes all factories. */
  abstract void closeProcesses();

  @AfterEach
  void closeAll() {
    open.forEach(DataLink::close);
    pools.forEach(pool -> assertEquals(0, pool.usedBytes(), "bytes of frames that leaked"));
    closeProcesses();
  }

  private DataLink open(NodeId node) {
    LinkFactory factory = factories.computeIfAbsent(node, this::processOf);
    DataLink link = factory.open(node);
    open.add(link);
    pools.add(link.frames());
    return link;
  }

  private PlacementMap map(NodeId... nodes) {
    List<Member> members = new ArrayList<>();
    for (NodeId node : nodes) {
      String endpoint = factories.computeIfAbsent(node, this::processOf).endpoint();
      members.add(new Member(node, 1, endpoint));
    }
    return new PlacementMap(new Epoch(1, 1), 0, members);
  }

  /** A frame that tells its sender and number and whose rest depends on both. */
  private static Frame frame(DataLink link, int sender, int number, int length) {
    Frame frame = link.frames().take(length);
    MemorySegment bytes = frame.segment();
    bytes.set(ValueLayout.JAVA_INT_UNALIGNED, 0, sender);
    bytes.set(ValueLayout.JAVA_INT_UNALIGNED, 4, number);
    bytes.set(ValueLayout.JAVA_LONG_UNALIGNED, 8, length);
    byte fill = (byte) (31 * sender + number);
    bytes.asSlice(HEADER_BYTES, length - HEADER_BYTES).fill(fill);
    return frame;
  }

  private static int sender(MemorySegment frame) {
    return frame.get(ValueLayout.JAVA_INT_UNALIGNED, 0);
  }

  private static int number(MemorySegment frame) {
    return frame.get(ValueLayout.JAVA_INT_UNALIGNED, 4);
  }

  private static void check(MemorySegment frame) {
    assertEquals(frame.byteSize(), frame.get(ValueLayout.JAVA_LONG_UNALIGNED, 8), "length");
    byte fill = (byte) (31 * sender(frame) + number(frame));
    for (long at = HEADER_BYTES; at < frame.byteSize(); at++) {
      if (frame.get(ValueLayout.JAVA_BYTE, at) != fill) {
        throw new AssertionError("byte " + at + " of frame " + number(frame) + " is wrong");
      }
    }
  }

  /** Checks frames of one sender that must come without gaps. */
  private static final class InOrder implements FrameHandler {
    private int next;

    @Override
    public void onFrame(MemorySegment frame) {
      assertEquals(next, number(frame));
      check(frame);
      next++;
    }
  }

  private static void send(DataLink from, NodeId to, Frame frame, IntSupplier meanwhile) {
    while (!from.offer(to, frame)) {
      from.idle(meanwhile.getAsInt());
    }
  }

  private static void pollUntil(DataLink link, FrameHandler handler, InOrder order, int count) {
    while (order.next < count) {
      link.idle(link.poll(handler, 64));
    }
  }

  private static Frame tiny(DataLink link, int number) {
    return frame(link, 0, number, HEADER_BYTES);
  }

  @Test
  void shouldDeliverFramesOfAllLengthsInOrder() {
    DataLink a = open(A);
    DataLink b = open(B);
    a.connect(map(A, B));
    Random random = new Random(42);
    InOrder order = new InOrder();
    int count = 3_000;
    for (int i = 0; i < count; i++) {
      int length = HEADER_BYTES + (int) Math.pow(2, random.nextDouble() * 17);
      send(a, B, frame(a, 0, i, length), () -> b.poll(order, 10));
    }
    pollUntil(b, order, order, count);
  }

  @Test
  void shouldCarryFramesUpToItsLimit() {
    DataLink a = open(A);
    DataLink b = open(B);
    a.connect(map(A, B));
    int limit = a.maxFrameBytes();
    assertTrue(limit >= 1 << 20, "limit " + limit);
    InOrder order = new InOrder();
    int[] lengths = {1 << 20, limit - 1, limit, HEADER_BYTES, limit};
    for (int i = 0; i < lengths.length; i++) {
      send(a, B, frame(a, 0, i, lengths[i]), () -> b.poll(order, 1));
    }
    pollUntil(b, order, order, lengths.length);
  }

  @Test
  void shouldPushBackAndLoseNothingWhenReceiverDoesNotPoll() {
    DataLink a = open(A);
    DataLink b = open(B);
    a.connect(map(A, B));
    InOrder order = new InOrder();
    send(a, B, tiny(a, 0), () -> 0);
    pollUntil(b, order, order, 1);
    int sent = 1;
    Frame refused = frame(a, 0, sent, 1000);
    while (a.offer(B, refused)) {
      sent++;
      refused = frame(a, 0, sent, 1000);
    }
    assertTrue(sent > 10, "sent " + sent);
    assertFalse(a.offer(B, refused), "nobody polled");
    pollUntil(b, order, order, sent);
    send(a, B, refused, () -> 0);
    pollUntil(b, order, order, sent + 1);
  }

  @Test
  void shouldReachPeerThatComesLater() {
    DataLink a = open(A);
    a.connect(map(A, B));
    for (int i = 0; i < 10; i++) {
      Frame early = tiny(a, -1);
      if (!a.offer(B, early)) {
        a.frames().recycle(early); // Whether it waits or is dropped is the link's choice.
      }
    }
    DataLink b = open(B);
    a.connect(map(A, B));
    InOrder order = new InOrder();
    FrameHandler lateOnes =
        frame -> {
          if (number(frame) >= 0) {
            order.onFrame(frame);
          }
        };
    for (int i = 0; i < 100; i++) {
      send(a, B, tiny(a, i), () -> b.poll(lateOnes, 10));
    }
    pollUntil(b, lateOnes, order, 100);
  }

  @Test
  void shouldDropFramesToPeerThatWent() {
    DataLink a = open(A);
    DataLink b = open(B);
    a.connect(map(A, B));
    InOrder order = new InOrder();
    send(a, B, tiny(a, 0), () -> 0);
    pollUntil(b, order, order, 1);
    b.close();
    // Far more than could wait anywhere: only a link that drops takes them all.
    for (int i = 0; i < 100_000; i++) {
      send(a, B, frame(a, 0, i, 2000), () -> 0);
    }
    assertEquals(1, order.next);
  }

  @Test
  void shouldTalkToSuccessorOfPeerThatWent() {
    DataLink a = open(A);
    DataLink b = open(B);
    a.connect(map(A, B));
    InOrder order = new InOrder();
    send(a, B, tiny(a, 0), () -> 0);
    pollUntil(b, order, order, 1);
    b.close();
    a.connect(map(A));
    factories.remove(B);
    DataLink successor = open(B);
    a.connect(map(A, B));
    InOrder again = new InOrder();
    for (int i = 0; i < 100; i++) {
      send(a, B, tiny(a, i), () -> successor.poll(again, 10));
    }
    pollUntil(successor, again, again, 100);
  }

  @Test
  void shouldDropFramesToPeerThatIsNotInTheMap() {
    DataLink a = open(A);
    DataLink b = open(B);
    a.connect(map(A, B));
    InOrder order = new InOrder();
    send(a, B, tiny(a, 0), () -> 0);
    pollUntil(b, order, order, 1);
    assertTrue(a.offer(NodeId.server(7), tiny(a, 0)));
  }

  @Test
  void shouldKeepEachSendersOrderWhenManySendAtOnce() throws InterruptedException {
    int senders = 3;
    int each = 500;
    DataLink b = open(B);
    NodeId[] nodes = new NodeId[senders + 1];
    DataLink[] links = new DataLink[senders];
    for (int s = 0; s < senders; s++) {
      nodes[s] = NodeId.worker(s);
      links[s] = open(nodes[s]);
    }
    nodes[senders] = B;
    PlacementMap map = map(nodes);
    List<Thread> threads = new ArrayList<>();
    AtomicInteger failures = new AtomicInteger();
    for (int s = 0; s < senders; s++) {
      int self = s;
      Thread thread =
          new Thread(
              () -> {
                Random random = new Random(self);
                links[self].connect(map);
                for (int i = 0; i < each; i++) {
                  int length = HEADER_BYTES + random.nextInt(100_000);
                  send(links[self], B, frame(links[self], self, i, length), () -> 0);
                }
              });
      thread.setUncaughtExceptionHandler((t, e) -> failures.incrementAndGet());
      threads.add(thread);
      thread.start();
    }
    Map<Integer, InOrder> orders = new HashMap<>();
    int received = 0;
    while (received < senders * each && failures.get() == 0) {
      int work = b.poll(f -> orders.computeIfAbsent(sender(f), s -> new InOrder()).onFrame(f), 16);
      received += work;
      b.idle(work);
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertEquals(0, failures.get());
    orders.values().forEach(order -> assertEquals(each, order.next));
  }

  @Test
  void shouldTalkBothWaysAtOnce() {
    DataLink a = open(A);
    DataLink b = open(B);
    a.connect(map(A, B));
    b.connect(map(A, B));
    InOrder atA = new InOrder();
    InOrder atB = new InOrder();
    int count = 300;
    for (int i = 0; i < count; i++) {
      send(a, B, frame(a, 0, i, 50_000), () -> b.poll(atB, 1));
      send(b, A, frame(b, 0, i, 50_000), () -> a.poll(atA, 1));
    }
    pollUntil(a, atA, atA, count);
    pollUntil(b, atB, atB, count);
  }

  @Test
  void shouldThrowWhatHandlerThrowsAndGoOn() {
    DataLink a = open(A);
    DataLink b = open(B);
    a.connect(map(A, B));
    for (int i = 0; i < 3; i++) {
      send(a, B, tiny(a, i), () -> 0);
    }
    IllegalStateException thrown =
        assertThrows(
            IllegalStateException.class,
            () -> {
              while (true) {
                b.idle(
                    b.poll(
                        frame -> {
                          throw new IllegalStateException("frame " + number(frame));
                        },
                        10));
              }
            });
    assertEquals("frame 0", thrown.getMessage());
    InOrder order = new InOrder();
    order.next = 1;
    pollUntil(b, order, order, 3);
  }

  @Test
  void shouldHandleNoMoreFramesThanAsked() {
    DataLink a = open(A);
    DataLink b = open(B);
    a.connect(map(A, B));
    for (int i = 0; i < 20; i++) {
      send(a, B, tiny(a, i), () -> 0);
    }
    InOrder order = new InOrder();
    while (order.next < 20) {
      int before = order.next;
      int work = b.poll(order, 3);
      assertTrue(work <= 3, "handled " + work);
      assertEquals(work, order.next - before);
    }
  }

  @Test
  void shouldEndWaitWhenWoken() throws InterruptedException {
    DataLink a = open(A);
    AtomicInteger asked = new AtomicInteger();
    AtomicInteger done = new AtomicInteger();
    int rounds = 300;
    Thread thread =
        new Thread(
            () -> {
              while (done.get() < rounds) {
                if (asked.get() > done.get()) {
                  done.incrementAndGet();
                } else {
                  a.idle(0);
                }
              }
            });
    thread.start();
    for (int round = 1; round <= rounds; round++) {
      if (round % 100 == 0) {
        TimeUnit.MILLISECONDS.sleep(50); // Lets the wait grow to its longest.
      }
      asked.set(round);
      a.wakeUp();
      while (done.get() < round) {
        Thread.onSpinWait();
      }
    }
    thread.join();
    assertEquals(rounds, done.get());
  }

  @Test
  void shouldRefuseSecondLinkOfOneNode() {
    open(A);
    LinkFactory factory = factories.get(A);
    assertThrows(IllegalStateException.class, () -> factory.open(A));
  }

  @Test
  void shouldNotCloseWhileLinksAreOpen() {
    open(A);
    LinkFactory factory = factories.get(A);
    assertThrows(IllegalStateException.class, factory::close);
  }
}
