package io.holdfast.server.storage;

import io.holdfast.config.protocol.Payload;
import java.lang.foreign.MemorySegment;

/**
 * Weights of checked rows, {@code [count, dim]} floats, that are gathered straight into the
 * outgoing frame.
 *
 * @param ids int64
 */
public record GatheredRows(RowStore rows, MemorySegment ids, int count) implements Payload {
  @Override
  public long lengthBytes() {
    return (long) count * rows.layout().weightBytes();
  }

  @Override
  public void writeTo(MemorySegment target, long offsetBytes) {
    try {
      rows.gather(ids, count, target, offsetBytes);
    } catch (RefusedException e) {
      throw new IllegalStateException("rows were checked and yet are refused", e);
    }
  }
}
