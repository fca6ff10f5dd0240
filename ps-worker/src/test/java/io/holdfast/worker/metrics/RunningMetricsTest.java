package io.holdfast.worker.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class RunningMetricsTest {
  private static void add(RunningMetrics metrics, float[] probabilities, float[] labels) {
    metrics.add(MemorySegment.ofArray(probabilities), MemorySegment.ofArray(labels), labels.length);
  }

  @Test
  void shouldMatchExactMetricsWhenNothingIsForgotten() {
    for (int seed = 0; seed < 5; seed++) {
      SplittableRandom random = new SplittableRandom(seed);
      RunningMetrics running = new RunningMetrics(Double.POSITIVE_INFINITY);
      Evaluation exact = new Evaluation();
      for (int batch = 0; batch < 20; batch++) {
        float[] probabilities = new float[500];
        float[] labels = new float[500];
        for (int i = 0; i < 500; i++) {
          double logit = random.nextGaussian() * 2 - 3;
          probabilities[i] = (float) (1 / (1 + Math.exp(-logit)));
          labels[i] = random.nextFloat() < probabilities[i] ? 1 : 0;
          exact.add(probabilities[i], labels[i]);
        }
        add(running, probabilities, labels);
      }
      String what = "seed " + seed;
      assertEquals(exact.auc(), running.auc(), 1e-3, what);
      assertEquals(exact.logLoss(), running.logLoss(), 1e-9, what);
      assertEquals(exact.normalizedEntropy(), running.normalizedEntropy(), 1e-9, what);
      assertEquals(exact.accuracy(), running.accuracy(), 1e-9, what);
      assertEquals(exact.baseRate(), running.baseRate(), 1e-9, what);
      assertEquals(exact.samples(), running.samples(), what);
    }
  }

  @Test
  void shouldWeighSamplesByTheirAge() {
    SplittableRandom random = new SplittableRandom(9);
    int batches = 8;
    int batch = 50;
    RunningMetrics running = new RunningMetrics(100);
    float[] allProbabilities = new float[batches * batch];
    float[] allLabels = new float[batches * batch];
    double[] weights = new double[batches * batch];
    for (int b = 0; b < batches; b++) {
      float[] probabilities = new float[batch];
      float[] labels = new float[batch];
      for (int i = 0; i < batch; i++) {
        labels[i] = random.nextInt(2);
        // The middles of few, distant buckets: the histogram then loses nothing.
        int level = random.nextInt(5) + (labels[i] == 1 ? b : 0);
        probabilities[i] = (float) (1 / (1 + Math.exp(5 - level - 0.5 / 128)));
        int at = b * batch + i;
        allProbabilities[at] = probabilities[i];
        allLabels[at] = labels[i];
        weights[at] = Math.pow(0.5, (batches - 1 - b) * batch / 100.0);
      }
      add(running, probabilities, labels);
    }
    assertEquals(
        EvaluationTest.bruteForceAuc(allProbabilities, allLabels, weights), running.auc(), 1e-9);
  }

  @Test
  void shouldForgetABadPast() {
    RunningMetrics running = new RunningMetrics(100);
    float[] labels = {0, 1, 0, 1};
    for (int i = 0; i < 500; i++) {
      add(running, new float[] {0.9f, 0.1f, 0.9f, 0.1f}, labels);
    }
    assertEquals(0, running.auc(), 1e-9);
    for (int i = 0; i < 500; i++) {
      add(running, new float[] {0.1f, 0.9f, 0.1f, 0.9f}, labels);
    }
    assertEquals(1, running.auc(), 1e-5);
    assertEquals(1, running.accuracy(), 1e-5);
  }

  @Test
  void shouldTakeCertainProbabilities() {
    RunningMetrics running = new RunningMetrics(100);
    add(running, new float[] {0, 1}, new float[] {0, 1});
    assertEquals(1, running.auc());
    assertTrue(running.logLoss() < 1e-6);
  }

  @Test
  void shouldBeNaNWithoutBothClasses() {
    RunningMetrics running = new RunningMetrics(100);
    assertTrue(Double.isNaN(running.auc()));
    add(running, new float[] {0.5f}, new float[] {0});
    assertTrue(Double.isNaN(running.auc()));
  }

  @Test
  void shouldRefuseAHalfLifeThatIsNotPositive() {
    assertThrows(IllegalArgumentException.class, () -> new RunningMetrics(0));
    assertThrows(IllegalArgumentException.class, () -> new RunningMetrics(Double.NaN));
  }
}
