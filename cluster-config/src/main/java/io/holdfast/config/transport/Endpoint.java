package io.holdfast.config.transport;

import io.holdfast.config.placement.Epoch;
import io.holdfast.config.placement.Member;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.placement.PlacementMap;
import io.holdfast.config.protocol.DataMessage;
import io.holdfast.config.protocol.Envelope;
import io.holdfast.config.protocol.MalformedFrameException;
import io.holdfast.config.protocol.MessageCodec;
import io.holdfast.config.protocol.Outbox;
import io.holdfast.config.protocol.PeerMessage;
import io.holdfast.config.protocol.RefusalReason;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One node's end of the data plane. Outgoing messages are stamped with the current epoch and
 * incarnations; incoming frames are checked for session key, incarnations and epoch before anybody
 * acts on them (guarantee G6). Never blocks: under back-pressure frames wait here, in order, for
 * {@link #drain}. How many can wait is bounded by the peers' windows: a server only answers what
 * was asked, and streams to other servers send nothing again while {@link #isCongested}. Serves one
 * thread.
 */
public final class Endpoint implements Outbox, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Endpoint.class);

  private final Member self;
  private final DataLink link;
  private final MessageCodec codec = new MessageCodec();
  private final EndpointCounters counters = new EndpointCounters();

  /** In an order that depends on what was sent alone, so that the simulator can replay it. */
  private final Map<NodeId, ArrayDeque<Frame>> waiting = new LinkedHashMap<>();

  private final Map<NodeId, Member> members = new HashMap<>();
  private long sessionKey;
  private Epoch epoch = Epoch.NONE;
  private int waitingFrames;

  public Endpoint(Member self, DataLink link) {
    this.self = self;
    this.link = link;
  }

  public Member self() {
    return self;
  }

  public EndpointCounters counters() {
    return counters;
  }

  public Epoch epoch() {
    return epoch;
  }

  /** Longest message that can be sent, in bytes. */
  public int maxFrameBytes() {
    return link.maxFrameBytes();
  }

  /**
   * Takes a newer map; older ones and repetitions are ignored.
   *
   * @return true if it was newer
   */
  public boolean adopt(PlacementMap map) {
    if (map.epoch().compareTo(epoch) <= 0) {
      return false;
    }
    link.connect(map); // First, because it throws if the map cannot be used with this link.
    epoch = map.epoch();
    sessionKey = map.sessionKey();
    Map<NodeId, Member> before = Map.copyOf(members);
    members.clear();
    map.members().forEach(member -> members.put(member.node(), member));
    // What waits for a process that is gone would be refused by its successor.
    waiting.forEach(
        (node, queue) -> {
          Member now = members.get(node);
          if (now == null || now.incarnation() != before.get(node).incarnation()) {
            forget(queue);
          }
        });
    waiting.keySet().retainAll(members.keySet());
    return true;
  }

  private void forget(ArrayDeque<Frame> queue) {
    waitingFrames -= queue.size();
    queue.forEach(link.frames()::recycle);
    queue.clear();
  }

  @Override
  public void send(NodeId to, DataMessage message) {
    Member addressee = members.get(to);
    if (addressee == null) {
      return; // Not in the map: whoever waits for the answer is told by the next map.
    }
    send(to, addressee.incarnation(), message);
  }

  @Override
  public boolean isCongested(NodeId to) {
    ArrayDeque<Frame> queue = waiting.get(to);
    return queue != null && !queue.isEmpty();
  }

  private void send(NodeId to, long incarnation, DataMessage message) {
    int length = MessageCodec.lengthBytes(message);
    if (length > link.maxFrameBytes()) {
      throw new IllegalArgumentException(
          message.getClass().getSimpleName()
              + " of "
              + length
              + " bytes; the link carries "
              + link.maxFrameBytes());
    }
    Frame frame = link.frames().take(length);
    boolean accepted;
    try {
      Envelope envelope =
          new Envelope(sessionKey, epoch, self.node(), self.incarnation(), to, incarnation);
      frame.lengthBytes(codec.encode(envelope, message, frame.segment(), frame.buffer()));
      accepted = !isCongested(to) && link.offer(to, frame);
    } catch (RuntimeException | Error e) {
      link.frames().recycle(frame);
      throw e;
    }
    count(message, length, counters.pullBytesSent, counters.pushBytesSent);
    countPeer(message, length);
    if (!accepted) {
      waiting.computeIfAbsent(to, node -> new ArrayDeque<>()).add(frame);
      waitingFrames++;
    }
  }

  /**
   * Sends frames that waited.
   *
   * @return how many
   */
  public int drain() {
    if (waitingFrames == 0) {
      return 0;
    }
    int sent = 0;
    for (Map.Entry<NodeId, ArrayDeque<Frame>> entry : waiting.entrySet()) {
      ArrayDeque<Frame> queue = entry.getValue();
      while (!queue.isEmpty() && link.offer(entry.getKey(), queue.peek())) {
        queue.remove();
        waitingFrames--;
        sent++;
      }
    }
    return sent;
  }

  /**
   * Handles what arrived.
   *
   * @return how many frames
   */
  public int poll(MessageHandler handler, int limit) {
    return link.poll(frame -> onFrame(frame, handler), limit);
  }

  private void onFrame(MemorySegment frame, MessageHandler handler) {
    MessageCodec.Decoded decoded;
    try {
      decoded = codec.decode(frame);
    } catch (MalformedFrameException e) {
      counters.malformed.increment();
      LOG.warn("{} dropped a frame: {}", self.node(), e.getMessage());
      return;
    }
    Envelope envelope = decoded.envelope();
    if (envelope.sessionKey() != sessionKey || epoch.equals(Epoch.NONE)) {
      counters.wrongKey.increment();
      return;
    }
    Member sender = members.get(envelope.sender());
    if (!envelope.addressee().equals(self.node())
        || envelope.addresseeIncarnation() != self.incarnation()
        || sender == null
        || sender.incarnation() != envelope.senderIncarnation()) {
      counters.fenced.increment();
      LOG.debug("{} refused a frame: {}", self.node(), envelope);
      return;
    }
    boolean refusal = decoded.message() instanceof DataMessage.Refused;
    if (!envelope.epoch().equals(epoch) && !refusal) {
      counters.staleEpoch.increment();
      send(
          envelope.sender(),
          new DataMessage.Refused(correlation(decoded.message()), RefusalReason.STALE_EPOCH));
      return;
    }
    count(
        decoded.message(),
        (int) frame.byteSize(),
        counters.pullBytesReceived,
        counters.pushBytesReceived);
    handler.onMessage(envelope.sender(), decoded.message());
  }

  private static void count(
      DataMessage message,
      int length,
      java.util.concurrent.atomic.LongAdder pull,
      java.util.concurrent.atomic.LongAdder push) {
    switch (message) {
      case DataMessage.Pull m -> pull.add(length);
      case DataMessage.Rows m -> pull.add(length);
      case DataMessage.PullShard m -> pull.add(length);
      case DataMessage.ShardValues m -> pull.add(length);
      case DataMessage.Stage m -> push.add(length);
      case DataMessage.Staged m -> push.add(length);
      case DataMessage.Commit m -> push.add(length);
      case DataMessage.Applied m -> push.add(length);
      default -> {
        // Exports and refusals are not training traffic.
      }
    }
  }

  private void countPeer(DataMessage message, int length) {
    switch (message) {
      case PeerMessage.Deltas m -> counters.deltaBytesSent.add(length);
      case PeerMessage.ForwardRange m -> counters.deltaBytesSent.add(length);
      case PeerMessage.StreamAck m -> counters.deltaBytesSent.add(length);
      case PeerMessage.ForwardShard m -> counters.nnReplicaBytesSent.add(length);
      case PeerMessage.CopyItem m -> counters.copyBytesSent.add(length);
      default -> {
        // Captures belong to scrubs.
      }
    }
  }

  private static long correlation(DataMessage message) {
    return switch (message) {
      case DataMessage.Pull m -> m.request();
      case DataMessage.Rows m -> m.request();
      case DataMessage.PullShard m -> m.request();
      case DataMessage.ShardValues m -> m.request();
      case DataMessage.Stage m -> m.header().tx().sequence();
      case DataMessage.Staged m -> m.tx().sequence();
      case DataMessage.Commit m -> m.tx().sequence();
      case DataMessage.Applied m -> m.tx().sequence();
      case DataMessage.Refused m -> m.correlation();
      case DataMessage.Export m -> m.request();
      case DataMessage.ExportedRows m -> m.request();
      case DataMessage.ExportShard m -> m.request();
      case DataMessage.ExportedShard m -> m.request();
      case DataMessage.Scrub m -> m.request();
      case DataMessage.Scrubbed m -> m.request();
      case PeerMessage.StreamItem m -> m.position().number();
      case PeerMessage.StreamAck m -> m.number();
      case PeerMessage.CaptureRows m -> m.request();
      case PeerMessage.CaptureShard m -> m.request();
      case PeerMessage.CaptureParities m -> m.request();
      case PeerMessage.CapturedParities m -> m.request();
      case PeerMessage.RepairRows m -> 0;
    };
  }

  /** Waits a little if there was nothing to do. */
  public void idle(int workCount) {
    link.idle(workCount);
  }

  /** Forgets frames that wait, and closes the link. Call from the thread that this serves. */
  @Override
  public void close() {
    waiting.values().forEach(this::forget);
    link.close();
  }
}
