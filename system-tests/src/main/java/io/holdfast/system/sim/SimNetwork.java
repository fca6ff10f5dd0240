package io.holdfast.system.sim;

import io.holdfast.config.placement.NodeId;
import io.holdfast.config.placement.PlacementMap;
import io.holdfast.config.protocol.Envelope;
import io.holdfast.config.protocol.MalformedFrameException;
import io.holdfast.config.protocol.MessageCodec;
import io.holdfast.config.transport.DataLink;
import io.holdfast.config.transport.Frame;
import io.holdfast.config.transport.FrameHandler;
import io.holdfast.config.transport.FramePool;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The wires. Between two processes frames keep their order, and so do control messages; everything
 * else overtakes everything else. Worse than {@link DataLink} promises: frames are lost one by one
 * and come twice, as over a transport that tries again.
 */
final class SimNetwork implements AutoCloseable {
  /** Frames of a thread's runs, one after the other: taking one is then the same work each time. */
  private static final ThreadLocal<FramePool> POOLS = ThreadLocal.withInitial(FramePool::new);

  private record Way(long from, long to) {
    static final Comparator<Way> ORDER =
        Comparator.comparingLong(Way::from).thenComparingLong(Way::to);
  }

  private final FramePool frames = POOLS.get();
  private final Schedule schedule;
  private final Faults faults;
  private final FaultTally tally;
  private final TraceLog trace;
  private final Seams seams;
  private final List<Link> opened = new ArrayList<>();
  private final Map<Way, Long> lastArrivals = new HashMap<>();

  /** From when on nothing of a dead process arrives any more. */
  private final Map<Way, Long> cuts = new HashMap<>();

  private final Set<Frame> underWay = Collections.newSetFromMap(new IdentityHashMap<>());

  SimNetwork(Schedule schedule, Faults faults, FaultTally tally, TraceLog trace, Seams seams) {
    this.seams = seams;
    this.schedule = schedule;
    this.faults = faults;
    this.tally = tally;
    this.trace = trace;
  }

  boolean calm() {
    return schedule.nowNanos() >= faults.untilNanos();
  }

  private boolean happens(FaultKind kind, double probability) {
    boolean happens = !calm() && schedule.chance(probability);
    if (happens) {
      tally.count(kind);
    }
    return happens;
  }

  /** Lets a test say that a frame comes from elsewhere than it does. */
  private void restamp(NodeId to, Frame frame) {
    try {
      MessageCodec.Decoded decoded = new MessageCodec().decode(frame.used());
      Envelope envelope = seams.restamp(to, decoded.envelope());
      Frame copy = frames.take(frame.lengthBytes());
      new MessageCodec().encode(envelope, decoded.message(), copy.segment(), copy.buffer());
      MemorySegment.copy(copy.segment(), 0, frame.segment(), 0, frame.lengthBytes());
      frames.recycle(copy);
    } catch (MalformedFrameException e) {
      throw new IllegalStateException("nobody sends malformed frames", e);
    }
  }

  private static String text(Frame frame) {
    try {
      return MessageText.of((Record) new MessageCodec().decode(frame.used()).message());
    } catch (MalformedFrameException e) {
      return "a frame of " + frame.lengthBytes() + " bytes";
    }
  }

  private static String name(long incarnation) {
    return incarnation == 0 ? "the coordinator" : "process " + incarnation;
  }

  private long arrival(Way way) {
    long delay = 1 + schedule.draw(faults.delayNanos());
    return lastArrivals.merge(way, schedule.nowNanos() + delay, Math::max);
  }

  /**
   * Carries a control message.
   *
   * @param from incarnation of the sender, 0 for the coordinator
   * @param to incarnation of the addressee, 0 for the coordinator
   * @param lossy whether it may be lost
   */
  void control(long from, long to, boolean lossy, Runnable arrival) {
    if (lossy && happens(FaultKind.MESSAGES_LOST, faults.losses())) {
      trace.add(
          schedule.nowNanos(),
          () -> "a control message of " + name(from) + " to " + name(to) + " is LOST");
      return;
    }
    long at = arrival(new Way(from, to));
    schedule.at(at, arrival);
    if (happens(FaultKind.MESSAGES_REPEATED, faults.duplicates())) {
      schedule.at(at, arrival);
    }
  }

  /**
   * The link of a process; it gets what is meant for it, and what is meant for a dead process at
   * that node, as one does that starts at the same address.
   */
  Link open(NodeId node, long incarnation, Runnable onArrival) {
    Link link = new Link(node, incarnation, onArrival);
    opened.add(link);
    return link;
  }

  /** Takes back all frames. */
  @Override
  public void close() {
    opened.forEach(Link::close);
    underWay.forEach(frames::recycle);
  }

  /**
   * A process is dead. What it sent last dies with it on some of its ways, from a moment on: its
   * host has not sent it yet.
   */
  void died(long incarnation) {
    for (Way way : lastArrivals.keySet().stream().sorted(Way.ORDER).toList()) {
      if (way.from == incarnation && schedule.chance(0.5)) {
        long later = schedule.chance(0.5) ? 0 : schedule.draw(faults.delayNanos());
        cuts.put(way, schedule.nowNanos() + later);
      }
    }
  }

  private void transmit(long from, NodeId to, long addressee, Frame frame) {
    underWay.add(frame);
    // Data and control have different ways.
    Way way = new Way(from, -1 - to.code());
    schedule.at(arrival(way), () -> arrive(way, to, addressee, frame));
  }

  /** The addressee's link; if it is closed, that of the process at its address now. */
  private Link link(NodeId to, long addressee) {
    Link youngest = null;
    for (Link link : opened) {
      if (link.node.equals(to)) {
        if (link.incarnation == addressee && !link.closed) {
          return link;
        }
        youngest = link;
      }
    }
    return youngest;
  }

  private void arrive(Way way, NodeId to, long addressee, Frame frame) {
    underWay.remove(frame);
    Link link = link(to, addressee);
    boolean lost = cuts.getOrDefault(way, Long.MAX_VALUE) <= schedule.nowNanos();
    if (lost) {
      tally.count(FaultKind.FRAMES_LOST);
      trace.add(schedule.nowNanos(), () -> "-> " + to + "  LOST with its sender " + text(frame));
    }
    if (lost || link == null || link.closed) {
      frames.recycle(frame);
      return;
    }
    if (seams.restamps()) {
      restamp(to, frame);
    }
    schedule.note(to.code(), frame.lengthBytes());
    link.arrived.add(frame);
    link.onArrival.run();
  }

  final class Link implements DataLink {
    private final NodeId node;
    private final long incarnation;
    private final Runnable onArrival;
    private final ArrayDeque<Frame> arrived = new ArrayDeque<>();
    private final Map<NodeId, Long> addressees = new HashMap<>();
    private boolean closed;

    Link(NodeId node, long incarnation, Runnable onArrival) {
      this.node = node;
      this.incarnation = incarnation;
      this.onArrival = onArrival;
    }

    @Override
    public FramePool frames() {
      return frames;
    }

    @Override
    public void connect(PlacementMap map) {
      addressees.clear();
      map.members().forEach(member -> addressees.put(member.node(), member.incarnation()));
    }

    @Override
    public boolean offer(NodeId to, Frame frame) {
      if (happens(FaultKind.FRAMES_HELD_BACK, faults.pressure())) {
        return false;
      }
      if (happens(FaultKind.FRAMES_REPEATED, faults.duplicates())) {
        Frame copy = frames.take(frame.lengthBytes());
        MemorySegment.copy(frame.used(), 0, copy.segment(), 0, frame.lengthBytes());
        underWay.add(copy);
        schedule.in(1 + schedule.draw(4 * faults.delayNanos()), () -> transmit(copy, to));
      }
      if (happens(FaultKind.FRAMES_LOST, faults.drops())) {
        trace.add(schedule.nowNanos(), () -> node + " -> " + to + "  LOST " + text(frame));
        frames.recycle(frame);
      } else {
        transmit(frame, to);
      }
      return true;
    }

    private void transmit(Frame frame, NodeId to) {
      SimNetwork.this.transmit(incarnation, to, addressees.getOrDefault(to, 0L), frame);
    }

    @Override
    public int poll(FrameHandler handler, int limit) {
      int count = 0;
      for (; count < limit && !arrived.isEmpty(); count++) {
        Frame frame = arrived.remove();
        try {
          handler.onFrame(frame.used());
        } finally {
          frames.recycle(frame);
        }
      }
      return count;
    }

    @Override
    public void idle(int workCount) {
      throw new UnsupportedOperationException(node + " never waits: time is virtual");
    }

    @Override
    public void wakeUp() {
      // Nobody waits.
    }

    @Override
    public int maxFrameBytes() {
      return FramePool.maxLengthBytes();
    }

    @Override
    public void close() {
      closed = true;
      arrived.forEach(frames::recycle);
      arrived.clear();
    }
  }
}
