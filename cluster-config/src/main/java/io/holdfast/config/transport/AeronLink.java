package io.holdfast.config.transport;

import io.aeron.Aeron;
import io.aeron.ControlledFragmentAssembler;
import io.aeron.Image;
import io.aeron.Subscription;
import io.aeron.logbuffer.ControlledFragmentHandler.Action;
import io.aeron.logbuffer.Header;
import io.holdfast.config.placement.Member;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.placement.PlacementMap;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import org.agrona.DirectBuffer;

/** The link of one node over Aeron. */
final class AeronLink implements DataLink {
  private static final long MIN_PARK_NANOS = TimeUnit.MICROSECONDS.toNanos(50);

  /** Idle cycles that only yield before the link starts to park. */
  private static final int YIELDS = 4;

  private final Aeron client;
  private final FramePool frames;
  private final AeronSettings settings;
  private final AeronAddress address;
  private final Runnable onClose;
  private final Subscription subscription;
  private final ControlledFragmentAssembler assembler =
      new ControlledFragmentAssembler(this::onFrame, 0, true);

  /** Sessions whose half-assembled frames nobody will finish; told by Aeron's client thread. */
  private final Queue<Integer> endedSessions = new ConcurrentLinkedQueue<>();

  private final Map<NodeId, AeronPeer> peers = new HashMap<>();
  private final Parking parking = new Parking();
  private long parkNanos = MIN_PARK_NANOS;
  private int idleCycles;
  private boolean polledFragments;
  private FrameHandler handler;
  private int framesHandled;
  private Throwable failure;
  private volatile boolean closed;

  AeronLink(
      Aeron client,
      FramePool frames,
      AeronSettings settings,
      AeronAddress address,
      Runnable onClose) {
    this.client = client;
    this.frames = frames;
    this.settings = settings;
    this.address = address;
    this.onClose = onClose;
    this.subscription =
        client.addSubscription(
            address.channel(), address.streamId(), image -> {}, this::onUnavailable);
  }

  private void onUnavailable(Image image) {
    endedSessions.add(image.sessionId());
  }

  @Override
  public FramePool frames() {
    return frames;
  }

  @Override
  public void connect(PlacementMap map) {
    Map<NodeId, AeronAddress> addresses = new HashMap<>();
    for (Member member : map.members()) {
      addresses.put(member.node(), AeronLinks.address(settings.channel(), member));
    }
    // A peer with another address is another process: what was sent to its predecessor is lost.
    Iterator<Map.Entry<NodeId, AeronPeer>> known = peers.entrySet().iterator();
    while (known.hasNext()) {
      Map.Entry<NodeId, AeronPeer> entry = known.next();
      if (!entry.getValue().address().equals(addresses.get(entry.getKey()))) {
        entry.getValue().close();
        known.remove();
      }
    }
    addresses.forEach(
        (node, at) ->
            peers.computeIfAbsent(
                node, absent -> new AeronPeer(client, at, settings.connectNanos())));
  }

  @Override
  public boolean offer(NodeId to, Frame frame) {
    checkLength(frame);
    checkOpen();
    AeronPeer peer = peers.get(to);
    AeronPeer.Outcome outcome =
        peer == null || closed ? AeronPeer.Outcome.DROP : peer.offer(frame, System.nanoTime());
    if (outcome == AeronPeer.Outcome.LATER) {
      return false;
    }
    frames.recycle(frame);
    return true;
  }

  private void checkLength(Frame frame) {
    if (frame.lengthBytes() > maxFrameBytes()) {
      throw new IllegalArgumentException(
          "a frame of " + frame.lengthBytes() + " bytes; the link carries " + maxFrameBytes());
    }
  }

  /** Without the media driver nothing will ever move again: that must not look like silence. */
  private void checkOpen() {
    if (!closed && client.isClosed()) {
      throw new IllegalStateException(
          "the link "
              + address
              + " is lost: its Aeron client was closed, because the media driver is gone or this"
              + " process was stopped for longer than "
              + TimeUnit.NANOSECONDS.toMillis(settings.livenessNanos())
              + " ms");
    }
  }

  /**
   * {@inheritDoc}
   *
   * @throws IllegalStateException if the media driver is gone
   */
  @Override
  public int poll(FrameHandler handler, int limit) {
    checkOpen();
    for (Integer session = endedSessions.poll(); session != null; session = endedSessions.poll()) {
      assembler.freeSessionBuffer(session);
    }
    this.handler = handler;
    framesHandled = 0;
    // A poll's limit counts fragments, and a large frame has many.
    while (framesHandled < limit && failure == null) {
      int fragments = subscription.controlledPoll(assembler, limit - framesHandled);
      if (fragments == 0) {
        break;
      }
      polledFragments = true;
    }
    this.handler = null;
    throwFailure();
    return framesHandled;
  }

  @SuppressWarnings("restricted") // The bytes are Aeron's; the handler may only look at them.
  private Action onFrame(DirectBuffer buffer, int offset, int length, Header header) {
    framesHandled++;
    try {
      handler.onFrame(MemorySegment.ofAddress(buffer.addressOffset() + offset).reinterpret(length));
      return Action.CONTINUE;
    } catch (RuntimeException | Error e) {
      failure = e; // Aeron would only log it: poll throws it once Aeron has taken note.
      return Action.BREAK;
    }
  }

  private void throwFailure() {
    Throwable thrown = failure;
    failure = null;
    if (thrown instanceof RuntimeException exception) {
      throw exception;
    }
    if (thrown instanceof Error error) {
      throw error;
    }
  }

  // Yielding first keeps latency low where a core is free; correctness does not depend on it.
  @SuppressWarnings("ThreadPriorityCheck")
  @Override
  public void idle(int workCount) {
    boolean worked = workCount > 0 || polledFragments;
    polledFragments = false;
    if (worked) {
      idleCycles = 0;
      parkNanos = MIN_PARK_NANOS;
      return;
    }
    if (idleCycles < YIELDS) {
      idleCycles++;
      Thread.yield();
      return;
    }
    parking.park(parkNanos, this::isClosed);
    parkNanos = Math.min(2 * parkNanos, settings.maxParkNanos());
  }

  private boolean isClosed() {
    return closed;
  }

  @Override
  public void wakeUp() {
    parking.signal();
  }

  @Override
  public int maxFrameBytes() {
    return settings.maxFrameBytes();
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    peers.values().forEach(AeronPeer::close);
    peers.clear();
    subscription.close();
    onClose.run();
    wakeUp();
  }
}
