package io.holdfast.config.transport;

import java.lang.foreign.MemorySegment;

/** Gets frames as they arrive. */
@FunctionalInterface
public interface FrameHandler {
  /**
   * A frame.
   *
   * @param frame exactly its bytes; native memory, valid only until this returns
   */
  void onFrame(MemorySegment frame);
}
