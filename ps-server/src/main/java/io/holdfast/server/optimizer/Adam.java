package io.holdfast.server.optimizer;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/**
 * Kingma and Ba 2015, algorithm 1: {@code m = (b1 * m) + ((1 - b1) * g); v = (b2 * v) + ((1 - b2) *
 * (g * g)); w = w - ((lr * (m * c1)) / (sqrt(v * c2) + eps))} with {@code c = 1 / (1 - b^t)}, where
 * {@code t} is the step of these very weights. State: {@code m}, then {@code v}. The corrections
 * are StrictMath's, rounded to float.
 */
final class Adam extends Optimizer {
  private final float beta1;
  private final float beta2;
  private final float epsilon;
  private final Correction correction1;
  private final Correction correction2;

  Adam(float beta1, float beta2, float epsilon) {
    this.beta1 = beta1;
    this.beta2 = beta2;
    this.epsilon = epsilon;
    correction1 = new Correction(beta1);
    correction2 = new Correction(beta2);
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
    float c1 = correction1.at(step);
    float c2 = correction2.at(step);
    float rest1 = 1 - beta1;
    float rest2 = 1 - beta2;
    long mAt = at + 4L * n;
    long vAt = at + 8L * n;
    int i = 0;
    for (; i < vectorised; i += SPECIES.length()) {
      FloatVector g = vector(gradients, gradientAt + 4L * i);
      FloatVector m = vector(memory, mAt + 4L * i).mul(beta1).add(g.mul(rest1));
      FloatVector v = vector(memory, vAt + 4L * i).mul(beta2).add(g.mul(g).mul(rest2));
      set(memory, mAt + 4L * i, m);
      set(memory, vAt + 4L * i, v);
      FloatVector change = m.mul(c1).mul(learningRate).div(v.mul(c2).sqrt().add(epsilon));
      set(memory, at + 4L * i, vector(memory, at + 4L * i).sub(change));
    }
    for (; i < n; i++) {
      float g = get(gradients, gradientAt + 4L * i);
      float m = get(memory, mAt + 4L * i) * beta1 + g * rest1;
      float v = get(memory, vAt + 4L * i) * beta2 + g * g * rest2;
      set(memory, mAt + 4L * i, m);
      set(memory, vAt + 4L * i, v);
      float change = m * c1 * learningRate / (sqrt(v * c2) + epsilon);
      set(memory, at + 4L * i, get(memory, at + 4L * i) - change);
    }
  }

  /** {@code 1 / (1 - beta^t)}, remembered for the steps that most rows are at. */
  private static final class Correction {
    private static final int REMEMBERED = 1 << 15;

    private final double beta;

    /** 0: not computed yet; a correction is at least 1. */
    private final float[] known = new float[REMEMBERED];

    Correction(double beta) {
      this.beta = beta;
    }

    float at(long step) {
      if (step >= REMEMBERED) {
        // Corrections only fall, so 1 stays 1: so it is for all but extraordinary betas.
        return at(REMEMBERED - 1) == 1 ? 1 : compute(step);
      }
      float value = known[(int) step];
      if (value == 0) {
        value = compute(step);
        known[(int) step] = value;
      }
      return value;
    }

    private float compute(long step) {
      return (float) (1 / (1 - StrictMath.pow(beta, (double) step)));
    }
  }
}
