package io.holdfast.config.job;

/**
 * The learning rate over a job: linear warm-up from 0, then constant, then linear decay to {@code
 * end} (as in MLPerf's DLRM, which decays polynomially with power 2: {@code power} is settable).
 *
 * @param base the constant rate
 * @param warmupIterations length of the warm-up; 0: none
 * @param decayStart first iteration of the decay; negative: none
 * @param decayIterations length of the decay
 * @param decayPower 1 for linear, 2 for MLPerf's
 * @param end rate after the decay
 */
public record LearningRate(
    float base,
    long warmupIterations,
    long decayStart,
    long decayIterations,
    int decayPower,
    float end) {

  public LearningRate {
    if (!(base > 0) || !(end >= 0) || decayPower < 1 || warmupIterations < 0) {
      throw new IllegalArgumentException(
          "learning rate "
              + base
              + ", end "
              + end
              + ", power "
              + decayPower
              + ", warm-up "
              + warmupIterations);
    }
    if (decayStart >= 0 && decayIterations < 1) {
      throw new IllegalArgumentException("a decay of " + decayIterations + " iterations");
    }
  }

  public static LearningRate constant(float base) {
    return new LearningRate(base, 0, -1, 0, 1, 0);
  }

  /**
   * The rate of an iteration.
   *
   * @param iteration counts from 0 over the whole job
   */
  public float at(long iteration) {
    if (iteration < warmupIterations) {
      return base * (iteration + 1) / warmupIterations;
    }
    if (decayStart < 0 || iteration < decayStart) {
      return base;
    }
    double left = 1 - Math.min(1.0, (double) (iteration - decayStart) / decayIterations);
    double factor = 1;
    for (int i = 0; i < decayPower; i++) {
      factor *= left;
    }
    return (float) (end + (base - end) * factor);
  }
}
