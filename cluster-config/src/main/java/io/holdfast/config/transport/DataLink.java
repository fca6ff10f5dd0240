package io.holdfast.config.transport;

import io.holdfast.config.placement.NodeId;
import io.holdfast.config.placement.PlacementMap;

/**
 * Moves frames to and from one node. Frames from one node to another arrive in order and at most
 * once, or are lost together with the peer; nothing more is promised. Used by the node's own
 * thread, but for {@link #wakeUp}.
 */
public interface DataLink extends AutoCloseable {
  /** Where frames to send come from. */
  FramePool frames();

  /**
   * Learns who is where. Peers that are not in the map are disconnected.
   *
   * @throws IllegalArgumentException if a member cannot be reached by this kind of link; nothing
   *     was changed then
   */
  void connect(PlacementMap map);

  /**
   * Sends a frame.
   *
   * @return true: the link has taken the frame (a frame to an unknown or dead peer is dropped);
   *     false: back-pressure, the frame is still the caller's, try again later. If this throws, the
   *     frame is the caller's too
   * @throws IllegalStateException if the link is lost and nothing will be sent any more
   */
  boolean offer(NodeId to, Frame frame);

  /**
   * Hands arrived frames to a handler. What it throws is thrown here; that frame counts as handled.
   *
   * @return how many, at most {@code limit}
   * @throws IllegalStateException if the link is lost and nothing will arrive any more
   */
  int poll(FrameHandler handler, int limit);

  /** Waits a little for work after a duty cycle that did {@code workCount} pieces of it. */
  void idle(int workCount);

  /** Ends a wait in {@link #idle}; any thread. */
  void wakeUp();

  /** Longest frame that this link carries, in bytes. */
  int maxFrameBytes();

  @Override
  void close();
}
