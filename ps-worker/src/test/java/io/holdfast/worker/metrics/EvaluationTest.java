package io.holdfast.worker.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class EvaluationTest {
  /** Every pair of a click and a non-click. */
  static double bruteForceAuc(float[] probabilities, float[] labels, double[] weights) {
    double right = 0;
    double pairs = 0;
    for (int i = 0; i < labels.length; i++) {
      for (int j = 0; j < labels.length; j++) {
        if (labels[i] == 1 && labels[j] == 0) {
          double weight = weights[i] * weights[j];
          pairs += weight;
          boolean above = probabilities[i] > probabilities[j];
          right += above ? weight : probabilities[i] == probabilities[j] ? weight / 2 : 0;
        }
      }
    }
    return right / pairs;
  }

  private static double[] ones(int count) {
    double[] ones = new double[count];
    Arrays.fill(ones, 1);
    return ones;
  }

  @Test
  void shouldMatchBruteForceWithAndWithoutTies() {
    for (int seed = 0; seed < 60; seed++) {
      SplittableRandom random = new SplittableRandom(seed);
      int count = 2 + random.nextInt(300);
      int levels = seed % 3 == 0 ? 3 : seed % 3 == 1 ? 20 : 1 << 24;
      float[] probabilities = new float[count];
      float[] labels = new float[count];
      for (int i = 0; i < count; i++) {
        labels[i] = i == 0 ? 1 : i == 1 ? 0 : random.nextInt(2);
        probabilities[i] = (float) random.nextInt(levels) / levels;
      }
      Evaluation evaluation = new Evaluation();
      Evaluation second = new Evaluation();
      int half = random.nextInt(count);
      for (int i = 0; i < count; i++) {
        (i < half ? evaluation : second).add(probabilities[i], labels[i]);
      }
      second.auc(); // sorts in place, and must not disturb what follows
      evaluation.addAll(second);

      double loss = 0;
      int correct = 0;
      int clicks = 0;
      for (int i = 0; i < count; i++) {
        double p = Math.min(Math.max(probabilities[i], 1e-7), 1 - 1e-7);
        loss -= Math.log(labels[i] == 1 ? p : 1 - p);
        correct += (probabilities[i] >= 0.5) == (labels[i] == 1) ? 1 : 0;
        clicks += (int) labels[i];
      }
      double rate = (double) clicks / count;
      double entropy = -rate * Math.log(rate) - (1 - rate) * Math.log(1 - rate);
      String what = "seed " + seed;
      assertEquals(
          bruteForceAuc(probabilities, labels, ones(count)), evaluation.auc(), 1e-12, what);
      assertEquals(loss / count, evaluation.logLoss(), 1e-9 * loss, what);
      assertEquals(loss / count / entropy, evaluation.normalizedEntropy(), 1e-9 * loss, what);
      assertEquals((double) correct / count, evaluation.accuracy(), 1e-12, what);
      assertEquals(rate, evaluation.baseRate(), 1e-12, what);
      assertEquals(count, evaluation.samples(), what);
    }
  }

  @Test
  void shouldKnowPerfectReversedAndConstantScores() {
    Evaluation perfect = new Evaluation();
    Evaluation reversed = new Evaluation();
    Evaluation constant = new Evaluation();
    for (int i = 0; i < 100; i++) {
      float label = i % 4 == 0 ? 1 : 0;
      perfect.add(0.2f + 0.6f * label, label);
      reversed.add(0.8f - 0.6f * label, label);
      constant.add(0.25f, label);
    }
    assertEquals(1, perfect.auc());
    assertEquals(1, perfect.accuracy());
    assertEquals(0, reversed.auc());
    assertEquals(0, reversed.accuracy());
    assertEquals(0.5, constant.auc());
    assertEquals(1, constant.normalizedEntropy(), 1e-9);
  }

  @Test
  void shouldTreatMinusZeroAsZeroAndStayFiniteAtCertainty() {
    Evaluation evaluation = new Evaluation();
    evaluation.add(-0f, 1);
    evaluation.add(0f, 0);
    assertEquals(0.5, evaluation.auc());
    evaluation.add(1f, 0);
    assertTrue(Double.isFinite(evaluation.logLoss()));
  }

  @Test
  void shouldBeNaNWithoutBothClasses() {
    Evaluation evaluation = new Evaluation();
    assertTrue(Double.isNaN(evaluation.auc()));
    assertTrue(Double.isNaN(evaluation.logLoss()));
    evaluation.add(0.5f, 1);
    assertTrue(Double.isNaN(evaluation.auc()));
  }

  @Test
  void shouldTakeMillions() {
    int count = 2_000_000;
    SplittableRandom random = new SplittableRandom(1);
    Evaluation evaluation = new Evaluation();
    MemorySegment probability = MemorySegment.ofArray(new float[count]);
    MemorySegment label = MemorySegment.ofArray(new float[count]);
    for (int i = 0; i < count; i++) {
      // A click with probability p: the area is then 5/6.
      float p = random.nextFloat();
      probability.setAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, i, p);
      label.setAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, i, random.nextFloat() < p ? 1 : 0);
    }
    evaluation.add(probability, label, count);
    assertEquals(5.0 / 6, evaluation.auc(), 2e-3);
    assertEquals(0.5, evaluation.logLoss(), 2e-3);
    assertEquals(0.75, evaluation.accuracy(), 2e-3);
  }

  @Test
  void shouldRefuseWhatIsNoPrediction() {
    Evaluation evaluation = new Evaluation();
    assertThrows(IllegalArgumentException.class, () -> evaluation.add(Float.NaN, 0));
    assertThrows(IllegalArgumentException.class, () -> evaluation.add(1.5f, 0));
    assertThrows(IllegalArgumentException.class, () -> evaluation.add(-0.1f, 0));
    assertThrows(IllegalArgumentException.class, () -> evaluation.add(0.5f, 0.5f));
    assertEquals(0, evaluation.samples());
  }
}
