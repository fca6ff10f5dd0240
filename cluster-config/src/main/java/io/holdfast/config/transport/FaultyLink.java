package io.holdfast.config.transport;

import io.holdfast.config.fault.LinkFault;
import io.holdfast.config.fault.LinkFaults;
import io.holdfast.config.placement.Member;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.placement.PlacementMap;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;

/**
 * A link that loses frames, or is late with them, where it is told to. It acts on what it sends;
 * who cuts a way in both directions tells both ends. Frames that are late stay in order.
 */
final class FaultyLink implements DataLink {
  /** More than this that is late is back-pressure. */
  private static final long LATE_BYTES_MAX = 64L << 20;

  private record Late(Frame frame, long dueNanos) {}

  private final DataLink link;
  private final LinkFaults faults;
  private final LongSupplier nanoTime;
  private final Map<NodeId, ArrayDeque<Late>> late = new HashMap<>();
  private long lateBytes;

  FaultyLink(DataLink link, LinkFaults faults, LongSupplier nanoTime) {
    this.link = link;
    this.faults = faults;
    this.nanoTime = nanoTime;
  }

  @Override
  public FramePool frames() {
    return link.frames();
  }

  @Override
  public void connect(PlacementMap map) {
    link.connect(map);
    Set<NodeId> there = map.members().stream().map(Member::node).collect(Collectors.toSet());
    for (Iterator<Map.Entry<NodeId, ArrayDeque<Late>>> each = late.entrySet().iterator();
        each.hasNext(); ) {
      Map.Entry<NodeId, ArrayDeque<Late>> entry = each.next();
      if (!there.contains(entry.getKey())) {
        forget(entry.getValue());
        each.remove();
      }
    }
  }

  @Override
  public boolean offer(NodeId to, Frame frame) {
    long now = nanoTime.getAsLong();
    LinkFault fault = faults.at(to, now);
    if (fault.cut()) {
      frames().recycle(frame);
      return true;
    }
    deliver(now);
    ArrayDeque<Late> queue = late.get(to);
    if (fault.delayNanos() == 0 && (queue == null || queue.isEmpty())) {
      return link.offer(to, frame);
    }
    if (lateBytes + frame.lengthBytes() > LATE_BYTES_MAX) {
      return false;
    }
    lateBytes += frame.lengthBytes();
    late.computeIfAbsent(to, absent -> new ArrayDeque<>())
        .add(new Late(frame, now + fault.delayNanos()));
    return true;
  }

  private void deliver(long now) {
    if (lateBytes == 0) {
      return;
    }
    late.forEach(
        (to, queue) -> {
          while (!queue.isEmpty() && now - queue.peek().dueNanos >= 0) {
            int length = queue.peek().frame.lengthBytes();
            if (!link.offer(to, queue.peek().frame)) {
              return;
            }
            lateBytes -= length;
            queue.remove();
          }
        });
  }

  private void forget(ArrayDeque<Late> queue) {
    for (Late each : queue) {
      lateBytes -= each.frame.lengthBytes();
      frames().recycle(each.frame);
    }
    queue.clear();
  }

  @Override
  public int poll(FrameHandler handler, int limit) {
    deliver(nanoTime.getAsLong());
    return link.poll(handler, limit);
  }

  @Override
  public void idle(int workCount) {
    link.idle(workCount);
  }

  @Override
  public void wakeUp() {
    link.wakeUp();
  }

  @Override
  public int maxFrameBytes() {
    return link.maxFrameBytes();
  }

  @Override
  public void close() {
    late.values().forEach(this::forget);
    link.close();
  }
}
