package io.holdfast.server.optimizer;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/** {@code v = (beta * v) + g; w = w - (lr * v)}. State: {@code v}. */
final class Momentum extends Optimizer {
  private final float beta;

  Momentum(float beta) {
    this.beta = beta;
  }

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
    long stateAt = at + 4L * n;
    int i = 0;
    for (; i < vectorised; i += SPECIES.length()) {
      FloatVector g = vector(gradients, gradientAt + 4L * i);
      FloatVector v = vector(memory, stateAt + 4L * i).mul(beta).add(g);
      set(memory, stateAt + 4L * i, v);
      set(memory, at + 4L * i, vector(memory, at + 4L * i).sub(v.mul(learningRate)));
    }
    for (; i < n; i++) {
      float g = get(gradients, gradientAt + 4L * i);
      float v = get(memory, stateAt + 4L * i) * beta + g;
      set(memory, stateAt + 4L * i, v);
      set(memory, at + 4L * i, get(memory, at + 4L * i) - v * learningRate);
    }
  }
}
