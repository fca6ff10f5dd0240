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
    return pairwise(sums);
  }

  /** Written out, for a loop would go through memory. */
  private static float pairwise(float[] s) {
    float a0 = s[0] + s[8];
    float a1 = s[1] + s[9];
    float a2 = s[2] + s[10];
    float a3 = s[3] + s[11];
    float a4 = s[4] + s[12];
    float a5 = s[5] + s[13];
    float a6 = s[6] + s[14];
    float a7 = s[7] + s[15];
    float b0 = a0 + a4;
    float b1 = a1 + a5;
    float b2 = a2 + a6;
    float b3 = a3 + a7;
    return (b0 + b2) + (b1 + b3);
  }
}
