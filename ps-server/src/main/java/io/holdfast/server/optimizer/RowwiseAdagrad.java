package io.holdfast.server.optimizer;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@code G = G + mean(g * g); s = lr / (sqrt(G) + eps); w = w - (s * g)}. State: {@code G}, one
 * float. The mean's order is fixed: 16 running sums, of indices equal modulo 16, then added
 * pairwise (8 apart, 4, 2, 1), then divided by {@code n}.
 */
final class RowwiseAdagrad extends Optimizer {
  private static final int SUMS = 16;

  private final float epsilon;
  private final float initialAccumulator;
  private final float[] sums = new float[SUMS];

  RowwiseAdagrad(float epsilon, float initialAccumulator) {
    this.epsilon = epsilon;
    this.initialAccumulator = initialAccumulator;
  }

  @Override
  public void initialState(MemorySegment memory, long at, int n) {
    set(memory, at + 4L * n, initialAccumulator);
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
    float mean = sumOfSquares(SPECIES, gradients, gradientAt, n, vectorised, sums) / n;
    float sum = get(memory, stateAt) + mean;
    set(memory, stateAt, sum);
    float scale = learningRate / (sqrt(sum) + epsilon);
    int i = 0;
    for (; i < vectorised; i += SPECIES.length()) {
      FloatVector g = vector(gradients, gradientAt + 4L * i);
      set(memory, at + 4L * i, vector(memory, at + 4L * i).sub(g.mul(scale)));
    }
    for (; i < n; i++) {
      float g = get(gradients, gradientAt + 4L * i);
      set(memory, at + 4L * i, get(memory, at + 4L * i) - g * scale);
    }
  }

  /** The sum of squares in the order that the class describes, whatever the vectors' length. */
  static float sumOfSquares(
      VectorSpecies<Float> species,
      MemorySegment gradients,
      long gradientAt,
      int n,
      int vectorised,
      float[] sums) {
    for (int lane = 0; lane < SUMS; lane += species.length()) {
      FloatVector sum = FloatVector.zero(species);
      for (int i = lane; i < vectorised; i += SUMS) {
        FloatVector g =
            FloatVector.fromMemorySegment(
                species, gradients, gradientAt + 4L * i, java.nio.ByteOrder.nativeOrder());
        sum = sum.add(g.mul(g));
      }
      sum.intoArray(sums, lane);
    }
    for (int i = vectorised; i < n; i++) {
      float g = get(gradients, gradientAt + 4L * i);
      sums[i % SUMS] += g * g;
    }
    for (int distance = SUMS / 2; distance > 0; distance /= 2) {
      for (int i = 0; i < distance; i++) {
        sums[i] += sums[i + distance];
      }
    }
    return sums[0];
  }
}
