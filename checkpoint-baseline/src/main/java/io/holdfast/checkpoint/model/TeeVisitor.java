package io.holdfast.checkpoint.model;

import io.holdfast.config.model.ModelVisitor;
import java.lang.foreign.MemorySegment;

/** Tells two visitors in one walk. The second is not told what the first refused. */
public record TeeVisitor(ModelVisitor first, ModelVisitor second) implements ModelVisitor {
  @Override
  public void row(long row, int updates, MemorySegment values, long offsetBytes) {
    first.row(row, updates, values, offsetBytes);
    second.row(row, updates, values, offsetBytes);
  }

  @Override
  public void nn(long updates, MemorySegment weights, MemorySegment state) {
    first.nn(updates, weights, state);
    second.nn(updates, weights, state);
  }
}
