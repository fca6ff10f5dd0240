package io.holdfast.server.optimizer;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/** {@code w = w - (lr * g)}. */
final class Sgd extends Optimizer {
  @Override
  void update(
      MemorySegment memory,
      long at,
      int n,
      MemorySegment gradients,
      long gradientAt,
      float learningRate,
      long step,
      int vectorised) {
    int i = 0;
    for (; i < vectorised; i += SPECIES.length()) {
      FloatVector g = vector(gradients, gradientAt + 4L * i);
      FloatVector w = vector(memory, at + 4L * i);
      set(memory, at + 4L * i, w.sub(g.mul(learningRate)));
    }
    for (; i < n; i++) {
      float g = get(gradients, gradientAt + 4L * i);
      set(memory, at + 4L * i, get(memory, at + 4L * i) - learningRate * g);
    }
  }
}
