package io.holdfast.server.optimizer;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/**
 * {@code G = G + (g * g); w = w - ((lr * g) / (sqrt(G) + eps))}. State: {@code G}. Duchi, Hazan,
 * Singer 2011.
 */
final class Adagrad extends Optimizer {
  private final float epsilon;
  private final float initialAccumulator;

  Adagrad(float epsilon, float initialAccumulator) {
    this.epsilon = epsilon;
    this.initialAccumulator = initialAccumulator;
  }

  @Override
  public void initialState(MemorySegment memory, long at, int n) {
    for (int i = 0; i < n; i++) {
      set(memory, at + 4L * (n + i), initialAccumulator);
    }
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
      FloatVector sum = vector(memory, stateAt + 4L * i).add(g.mul(g));
      set(memory, stateAt + 4L * i, sum);
      FloatVector change = g.mul(learningRate).div(sum.sqrt().add(epsilon));
      set(memory, at + 4L * i, vector(memory, at + 4L * i).sub(change));
    }
    for (; i < n; i++) {
      float g = get(gradients, gradientAt + 4L * i);
      float sum = get(memory, stateAt + 4L * i) + g * g;
      set(memory, stateAt + 4L * i, sum);
      float change = g * learningRate / (sqrt(sum) + epsilon);
      set(memory, at + 4L * i, get(memory, at + 4L * i) - change);
    }
  }
}
