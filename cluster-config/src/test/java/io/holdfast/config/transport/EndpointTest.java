package io.holdfast.config.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.config.placement.Epoch;
import io.holdfast.config.placement.Member;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.placement.PlacementMap;
import io.holdfast.config.protocol.DataMessage;
import io.holdfast.config.protocol.Envelope;
import io.holdfast.config.protocol.MessageCodec;
import io.holdfast.config.protocol.Payload;
import io.holdfast.config.protocol.RefusalReason;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class EndpointTest {
  private static final NodeId WORKER = NodeId.worker(0);
  private static final NodeId SERVER = NodeId.server(0);
  private static final long KEY = 0x5EC2E7;
  private static final Epoch FIRST = new Epoch(1, 1);

  private final InMemoryNetwork network = new InMemoryNetwork();
  private final Member worker = new Member(WORKER, 11, "");
  private final Member server = new Member(SERVER, 22, "");
  private final DataLink workerLink = network.open(WORKER);
  private final DataLink serverLink = network.open(SERVER);
  private final Endpoint atWorker = new Endpoint(worker, workerLink);
  private final Endpoint atServer = new Endpoint(server, serverLink);
  private final List<DataMessage> got = new ArrayList<>();

  @AfterEach
  void close() {
    atWorker.close();
    atServer.close();
    assertEquals(0, workerLink.frames().usedBytes(), "bytes of frames that leaked");
    network.close();
  }

  private static PlacementMap map(Epoch epoch, Member... members) {
    return new PlacementMap(epoch, KEY, List.of(members));
  }

  private void adoptFirst() {
    atWorker.adopt(map(FIRST, worker, server));
    atServer.adopt(map(FIRST, worker, server));
  }

  private int pollServer() {
    return atServer.poll((from, message) -> got.add(message), 100);
  }

  private static DataMessage.Export export(long request) {
    return new DataMessage.Export(request, 0, 0, 1);
  }

  /** Sends a message with any envelope, as a forger or a process of another time would. */
  private void forge(Envelope envelope, DataMessage message) {
    Frame frame = workerLink.frames().take(MessageCodec.lengthBytes(message));
    new MessageCodec().encode(envelope, message, frame.segment(), frame.buffer());
    assertTrue(workerLink.offer(SERVER, frame));
  }

  private void assertRefusedSilently(Envelope envelope) {
    forge(envelope, export(1));
    assertEquals(1, pollServer());
    assertEquals(List.of(), got);
    assertEquals(0, workerLink.poll(frame -> {}, 1), "nobody is answered");
  }

  @Test
  void shouldDeliverMessagesOfMembers() {
    adoptFirst();
    List<NodeId> senders = new ArrayList<>();
    atWorker.send(SERVER, export(5));
    atServer.poll(
        (from, message) -> {
          senders.add(from);
          got.add(message);
        },
        10);
    assertEquals(List.of(WORKER), senders);
    assertEquals(List.of(export(5)), got);
  }

  @Test
  void shouldRefuseWrongKey() {
    adoptFirst();
    assertRefusedSilently(new Envelope(KEY + 1, FIRST, WORKER, 11, SERVER, 22));
    assertEquals(1, atServer.counters().wrongKey.sum());
  }

  @Test
  void shouldRefuseEverythingBeforeTheFirstMap() {
    assertRefusedSilently(new Envelope(0, Epoch.NONE, WORKER, 11, SERVER, 22));
    assertEquals(1, atServer.counters().wrongKey.sum());
  }

  @Test
  void shouldRefuseOtherIncarnationsAndStrangers() {
    adoptFirst();
    assertRefusedSilently(new Envelope(KEY, FIRST, WORKER, 12, SERVER, 22));
    assertRefusedSilently(new Envelope(KEY, FIRST, WORKER, 11, SERVER, 23));
    assertRefusedSilently(new Envelope(KEY, FIRST, WORKER, 11, NodeId.server(1), 22));
    assertRefusedSilently(new Envelope(KEY, FIRST, NodeId.worker(9), 11, SERVER, 22));
    assertEquals(4, atServer.counters().fenced.sum());
  }

  @Test
  void shouldCountMalformedFrames() {
    adoptFirst();
    Frame noise = workerLink.frames().take(50);
    noise.segment().fill((byte) 0x55);
    workerLink.offer(SERVER, noise);
    assertEquals(1, pollServer());
    assertEquals(1, atServer.counters().malformed.sum());
    assertEquals(List.of(), got);
  }

  @Test
  void shouldAnswerOtherEpochsWithItsOwn() {
    adoptFirst();
    Epoch next = FIRST.next();
    atServer.adopt(map(next, worker, server));
    atWorker.send(SERVER, export(77));
    assertEquals(1, pollServer());
    assertEquals(List.of(), got);
    assertEquals(1, atServer.counters().staleEpoch.sum());
    List<DataMessage> answers = new ArrayList<>();
    atWorker.poll((from, message) -> answers.add(message), 10);
    assertEquals(List.of(new DataMessage.Refused(77, RefusalReason.STALE_EPOCH)), answers);
    assertEquals(0, atWorker.counters().staleEpoch.sum(), "a refusal is never refused");
    // And once the worker has the newer map the same message is taken.
    atWorker.adopt(map(next, worker, server));
    atWorker.send(SERVER, export(77));
    pollServer();
    assertEquals(List.of(export(77)), got);
  }

  @Test
  void shouldIgnoreOldMaps() {
    adoptFirst();
    assertTrue(atServer.adopt(map(FIRST.next(), worker, server)));
    assertFalse(atServer.adopt(map(FIRST.next(), worker)));
    assertFalse(atServer.adopt(map(FIRST, worker)));
    assertEquals(FIRST.next(), atServer.epoch());
    assertTrue(atServer.adopt(map(new Epoch(2, 0), worker, server)), "a later term wins");
  }

  @Test
  void shouldSendNothingToStrangers() {
    adoptFirst();
    atWorker.send(NodeId.server(3), export(1));
    assertEquals(0, workerLink.frames().usedBytes());
  }

  @Test
  void shouldRefuseMessagesBeyondTheLink() {
    adoptFirst();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment tooMuch = arena.allocate(FramePool.maxLengthBytes());
      assertThrows(
          IllegalArgumentException.class,
          () -> atWorker.send(SERVER, new DataMessage.Rows(1, Payload.of(tooMuch))));
    }
  }

  @Test
  void shouldCountTrainingTraffic() {
    adoptFirst();
    DataMessage rows = new DataMessage.Rows(1, Payload.EMPTY);
    atWorker.send(SERVER, rows);
    atWorker.send(SERVER, export(1));
    pollServer();
    int length = MessageCodec.lengthBytes(rows);
    assertEquals(length, atWorker.counters().pullBytesSent.sum());
    assertEquals(length, atServer.counters().pullBytesReceived.sum());
    assertEquals(0, atWorker.counters().pushBytesSent.sum());
  }

  /** Takes so many frames and then none. */
  private static final class Narrow implements DataLink {
    private final FramePool pool = new FramePool();
    private final Deque<String> taken = new ArrayDeque<>();
    private int room;
    private RuntimeException failure;

    @Override
    public FramePool frames() {
      return pool;
    }

    @Override
    public void connect(PlacementMap map) {}

    @Override
    public boolean offer(NodeId to, Frame frame) {
      if (failure != null) {
        throw failure;
      }
      if (room == 0) {
        return false;
      }
      room--;
      try {
        DataMessage message = new MessageCodec().decode(frame.used()).message();
        taken.add(to + ":" + ((DataMessage.Export) message).request());
      } catch (io.holdfast.config.protocol.MalformedFrameException e) {
        throw new AssertionError(e);
      }
      pool.recycle(frame);
      return true;
    }

    @Override
    public int poll(FrameHandler handler, int limit) {
      return 0;
    }

    @Override
    public void idle(int workCount) {}

    @Override
    public void wakeUp() {}

    @Override
    public int maxFrameBytes() {
      return 1000;
    }

    @Override
    public void close() {
      pool.close();
    }
  }

  @Test
  void shouldKeepOrderUnderBackPressure() {
    Narrow link = new Narrow();
    Endpoint endpoint = new Endpoint(worker, link);
    endpoint.adopt(map(FIRST, worker, server));
    link.room = 1;
    for (int i = 0; i < 4; i++) {
      endpoint.send(SERVER, export(i));
    }
    assertEquals(List.of("server-0:0"), List.copyOf(link.taken));
    assertTrue(endpoint.isCongested(SERVER));
    assertFalse(endpoint.isCongested(WORKER));
    link.room = 1;
    assertEquals(1, endpoint.drain());
    link.room = 1;
    endpoint.send(SERVER, export(4)); // There is room, but 2 and 3 come first.
    link.room = 10;
    assertEquals(3, endpoint.drain());
    assertEquals(0, endpoint.drain());
    assertFalse(endpoint.isCongested(SERVER));
    endpoint.send(SERVER, export(5));
    assertEquals(
        List.of("server-0:0", "server-0:1", "server-0:2", "server-0:3", "server-0:4", "server-0:5"),
        List.copyOf(link.taken));
    assertEquals(0, link.pool.usedBytes());
    endpoint.close();
  }

  @Test
  void shouldForgetFramesThatWaitForMembersWhoLeft() {
    Narrow link = new Narrow();
    Endpoint endpoint = new Endpoint(worker, link);
    endpoint.adopt(map(FIRST, worker, server));
    endpoint.send(SERVER, export(1));
    assertTrue(link.pool.usedBytes() > 0);
    endpoint.adopt(map(FIRST.next(), worker));
    assertEquals(0, link.pool.usedBytes());
    link.room = 10;
    assertEquals(0, endpoint.drain());
    endpoint.close();
  }

  @Test
  void shouldForgetFramesThatWaitForThePredecessorOfAMember() {
    Narrow link = new Narrow();
    Endpoint endpoint = new Endpoint(worker, link);
    endpoint.adopt(map(FIRST, worker, server));
    endpoint.send(SERVER, export(1));
    endpoint.adopt(map(FIRST.next(), worker, new Member(SERVER, 23, "")));
    assertEquals(0, link.pool.usedBytes());
    endpoint.close();
  }

  @Test
  void shouldGiveBackFramesThatWaitWhenItCloses() {
    Narrow link = new Narrow();
    Endpoint endpoint = new Endpoint(worker, link);
    endpoint.adopt(map(FIRST, worker, server));
    endpoint.send(SERVER, export(1));
    endpoint.close();
    assertEquals(0, link.pool.usedBytes());
  }

  @Test
  void shouldGiveBackTheFrameWhenTheLinkFails() {
    Narrow link = new Narrow();
    Endpoint endpoint = new Endpoint(worker, link);
    endpoint.adopt(map(FIRST, worker, server));
    link.failure = new IllegalStateException("lost");
    assertThrows(IllegalStateException.class, () -> endpoint.send(SERVER, export(1)));
    assertEquals(0, link.pool.usedBytes());
    link.failure = null;
    endpoint.close();
  }
}
