package io.holdfast.criteo.synthetic;

import io.holdfast.criteo.CriteoBatch;
import io.holdfast.criteo.CriteoFormat;
import io.holdfast.criteo.IdMapping;
import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * A factorisation machine (Rendle, 2010) of order 2 over the categories, with linear terms for
 * categories and integers, trained by Adagrad one sample at a time. Rank 0 is a logistic
 * regression. Only a yardstick: it tells what can be learned from generated rows.
 */
final class FactorizationMachine {
  /** Large, so that rows that were seen once or twice hardly move: they are noise. */
  private static final float INITIAL_SQUARE = 30;

  private static final float INITIAL_WIDTH = 0.03f;

  private final int rank;
  private float rate;
  private final int[] offsets = new int[CriteoFormat.CATEGORIES];
  private final float[] linear;
  private final float[] linearSquares;
  private final float[] factors;
  private final float[] factorSquares;
  private final float[] dense = new float[CriteoFormat.INTEGERS + 1];
  private final float[] denseSquares = new float[CriteoFormat.INTEGERS + 1];
  private final float[] sums;

  FactorizationMachine(IdMapping mapping, int rank, float rate, long seed) {
    this.rank = rank;
    this.rate = rate;
    int rows = 0;
    for (int column = 0; column < offsets.length; column++) {
      offsets[column] = rows;
      rows += (int) mapping.rowsPerColumn()[column];
    }
    linear = new float[rows];
    linearSquares = new float[rows];
    factors = new float[rows * rank];
    factorSquares = new float[rows * rank];
    sums = new float[rank];
    SplittableRandom random = new SplittableRandom(seed);
    for (int i = 0; i < factors.length; i++) {
      factors[i] = (float) (random.nextDouble() - 0.5) * INITIAL_WIDTH;
    }
    for (float[] squares : new float[][] {linearSquares, factorSquares, denseSquares}) {
      Arrays.fill(squares, INITIAL_SQUARE);
    }
  }

  /** Sets the learning rate. */
  void rate(float value) {
    rate = value;
  }

  /** The probability of a click. */
  double predict(CriteoBatch batch, int sample) {
    int last = CriteoFormat.INTEGERS;
    double logit = dense[last];
    for (int i = 0; i < last; i++) {
      logit += dense[i] * batch.dense()[sample * last + i];
    }
    Arrays.fill(sums, 0);
    double squares = 0;
    for (int column = 0; column < CriteoFormat.CATEGORIES; column++) {
      int row = offsets[column] + batch.ids()[sample * CriteoFormat.CATEGORIES + column];
      logit += linear[row];
      for (int f = 0; f < rank; f++) {
        float factor = factors[row * rank + f];
        sums[f] += factor;
        squares += factor * factor;
      }
    }
    double products = -squares;
    for (int f = 0; f < rank; f++) {
      products += sums[f] * sums[f];
    }
    return 1 / (1 + Math.exp(-logit - products / 2));
  }

  /** One step on one sample; returns the probability predicted before it. */
  double train(CriteoBatch batch, int sample) {
    double probability = predict(batch, sample);
    float gradient = (float) (probability - batch.labels()[sample]);
    int last = CriteoFormat.INTEGERS;
    for (int i = 0; i < last; i++) {
      step(dense, denseSquares, i, gradient * batch.dense()[sample * last + i]);
    }
    step(dense, denseSquares, last, gradient);
    for (int column = 0; column < CriteoFormat.CATEGORIES; column++) {
      int row = offsets[column] + batch.ids()[sample * CriteoFormat.CATEGORIES + column];
      step(linear, linearSquares, row, gradient);
      for (int f = 0; f < rank; f++) {
        int at = row * rank + f;
        step(factors, factorSquares, at, gradient * (sums[f] - factors[at]));
      }
    }
    return probability;
  }

  private void step(float[] values, float[] squares, int at, float gradient) {
    squares[at] += gradient * gradient;
    values[at] -= rate * gradient / (float) Math.sqrt(squares[at]);
  }
}
