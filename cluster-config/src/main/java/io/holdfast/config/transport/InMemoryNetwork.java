package io.holdfast.config.transport;

import io.holdfast.config.placement.NodeId;
import io.holdfast.config.placement.PlacementMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.agrona.concurrent.ManyToOneConcurrentArrayQueue;

/**
 * Links between the nodes of one process. A frame is handed over by reference: the sender encodes
 * into it, the receiver decodes out of it, nobody copies it.
 */
public final class InMemoryNetwork implements LinkFactory {
  private static final int QUEUE_CAPACITY = 1 << 14;

  /** A lost wake-up costs no more than this. */
  private static final long MAX_PARK_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

  private final FramePool frames = new FramePool();
  private final Map<NodeId, Link> links = new ConcurrentHashMap<>();

  @Override
  public String endpoint() {
    return "";
  }

  /**
   * The link of a node.
   *
   * @throws IllegalStateException if the node has one
   */
  @Override
  public DataLink open(NodeId node) {
    Link link = new Link(node);
    if (links.putIfAbsent(node, link) != null) {
      throw new IllegalStateException(node + " has a link already");
    }
    return link;
  }

  /** Releases the memory of all frames. Call after all links are closed. */
  @Override
  public void close() {
    if (!links.isEmpty()) {
      throw new IllegalStateException("links are still open: " + links.keySet());
    }
    frames.close();
  }

  private final class Link implements DataLink {
    private final NodeId self;
    private final ManyToOneConcurrentArrayQueue<Frame> arrived =
        new ManyToOneConcurrentArrayQueue<>(QUEUE_CAPACITY);
    private final Parking parking = new Parking();
    private volatile boolean closed;
    private final BooleanSupplier hasWork = this::hasWork;

    Link(NodeId self) {
      this.self = self;
    }

    @Override
    public FramePool frames() {
      return frames;
    }

    @Override
    public void connect(PlacementMap map) {
      // All nodes of the process are reachable already.
    }

    @Override
    public boolean offer(NodeId to, Frame frame) {
      Link peer = links.get(to);
      if (peer == null || peer.closed) {
        frames.recycle(frame);
        return true;
      }
      if (!peer.arrived.offer(frame)) {
        return false;
      }
      if (peer.closed) {
        peer.discardArrived(); // It may have closed before the frame came: nobody polls any more.
      }
      peer.parking.unpark();
      return true;
    }

    @Override
    public int poll(FrameHandler handler, int limit) {
      int count = 0;
      while (count < limit) {
        Frame frame = arrived.poll();
        if (frame == null) {
          break;
        }
        try {
          handler.onFrame(frame.used());
        } finally {
          frames.recycle(frame);
        }
        count++;
      }
      return count;
    }

    @Override
    public void idle(int workCount) {
      if (workCount > 0) {
        return;
      }
      parking.park(MAX_PARK_NANOS, hasWork);
    }

    private boolean hasWork() {
      return closed || !arrived.isEmpty();
    }

    @Override
    public void wakeUp() {
      parking.signal();
    }

    @Override
    public int maxFrameBytes() {
      return FramePool.maxLengthBytes();
    }

    @Override
    public void close() {
      closed = true;
      links.remove(self, this);
      discardArrived();
      wakeUp();
    }

    /** Only after closing: the lock keeps late senders from draining the queue together. */
    private void discardArrived() {
      synchronized (arrived) {
        for (Frame frame = arrived.poll(); frame != null; frame = arrived.poll()) {
          frames.recycle(frame);
        }
      }
    }
  }
}
