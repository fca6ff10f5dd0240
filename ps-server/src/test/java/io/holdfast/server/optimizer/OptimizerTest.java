package io.holdfast.server.optimizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.holdfast.config.model.OptimizerKind;
import io.holdfast.config.model.OptimizerSpec;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.EnumMap;
import java.util.Map;
import java.util.Random;
import java.util.zip.CRC32;
import jdk.incubator.vector.FloatVector;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class OptimizerTest {
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
  private static final int[] LENGTHS = {1, 2, 3, 7, 8, 15, 16, 17, 24, 31, 64, 100, 128};

  /** Nothing is aligned in frames. */
  private static final long ODD = 5;

  private static OptimizerSpec spec(OptimizerKind kind) {
    return new OptimizerSpec(kind, 0.9f, 0.9f, 0.999f, 1e-6f, 0.05f);
  }

  private static float[] random(Random random, int n) {
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  private static MemorySegment memory(Arena arena, float[] values, int floats) {
    MemorySegment memory = arena.allocate(ODD + 4L * floats);
    MemorySegment.copy(MemorySegment.ofArray(values), 0, memory, ODD, 4L * values.length);
    return memory;
  }

  @ParameterizedTest
  @EnumSource(OptimizerKind.class)
  void shouldComputeWithVectorsWhatScalarsCompute(OptimizerKind kind) {
    Random random = new Random(1);
    try (Arena arena = Arena.ofConfined()) {
      for (int n : LENGTHS) {
        float[] weights = random(random, n);
        int floats = n + kind.stateFloats(n);
        MemorySegment vector = memory(arena, weights, floats);
        MemorySegment scalar = memory(arena, weights, floats);
        Optimizer optimizer = Optimizer.of(spec(kind));
        optimizer.initialState(vector, ODD, n);
        optimizer.initialState(scalar, ODD, n);
        for (int step = 1; step <= 20; step++) {
          MemorySegment gradients = memory(arena, random(random, n), n);
          optimizer.update(vector, ODD, n, gradients, ODD, 0.03f, step);
          optimizer.update(scalar, ODD, n, gradients, ODD, 0.03f, step, 0);
        }
        assertEquals(-1, vector.mismatch(scalar), kind + " with " + n + " weights");
      }
    }
  }

  @ParameterizedTest
  @EnumSource(OptimizerKind.class)
  void shouldFollowItsDefinition(OptimizerKind kind) {
    Random random = new Random(2);
    try (Arena arena = Arena.ofConfined()) {
      for (int n : LENGTHS) {
        float[] weights = random(random, n);
        MemorySegment memory = memory(arena, weights, n + kind.stateFloats(n));
        Optimizer optimizer = Optimizer.of(spec(kind));
        optimizer.initialState(memory, ODD, n);
        Reference reference = new Reference(spec(kind), weights);
        for (int step = 1; step <= 20; step++) {
          float[] gradients = random(random, n);
          optimizer.update(memory, ODD, n, memory(arena, gradients, n), ODD, 0.03f, step);
          reference.update(gradients, 0.03f, step);
        }
        for (int i = 0; i < n; i++) {
          assertEquals(reference.w[i], memory.get(FLOAT, ODD + 4L * i), 2e-5, kind + " " + n);
        }
        for (int i = 0; i < kind.stateFloats(n); i++) {
          double expected = i < n ? reference.state1[i] : reference.state2[i - n];
          assertEquals(
              expected,
              memory.get(FLOAT, ODD + 4L * (n + i)),
              1e-5 * Math.abs(expected) + 1e-5,
              kind + " state " + i + " of " + n);
        }
      }
    }
  }

  /** The definitions in doubles. */
  private static final class Reference {
    private final OptimizerSpec spec;
    private final double[] w;
    private final double[] state1;
    private final double[] state2;

    Reference(OptimizerSpec spec, float[] weights) {
      this.spec = spec;
      w = new double[weights.length];
      state1 = new double[w.length];
      state2 = new double[w.length];
      for (int i = 0; i < w.length; i++) {
        w[i] = weights[i];
        boolean adagrad =
            spec.kind() == OptimizerKind.ADAGRAD || spec.kind() == OptimizerKind.ROWWISE_ADAGRAD;
        state1[i] = adagrad ? spec.initialAccumulator() : 0;
      }
    }

    void update(float[] g, double lr, int step) {
      double mean = 0;
      for (float x : g) {
        mean += (double) x * x / g.length;
      }
      for (int i = 0; i < w.length; i++) {
        switch (spec.kind()) {
          case SGD -> w[i] -= lr * g[i];
          case MOMENTUM -> {
            state1[i] = spec.momentum() * state1[i] + g[i];
            w[i] -= lr * state1[i];
          }
          case ADAGRAD -> {
            state1[i] += (double) g[i] * g[i];
            w[i] -= lr * g[i] / (Math.sqrt(state1[i]) + spec.epsilon());
          }
          case ROWWISE_ADAGRAD -> {
            state1[i] += mean;
            w[i] -= lr * g[i] / (Math.sqrt(state1[i]) + spec.epsilon());
          }
          case ADAM -> {
            state1[i] = spec.beta1() * state1[i] + (1.0 - spec.beta1()) * g[i];
            state2[i] = spec.beta2() * state2[i] + (1.0 - spec.beta2()) * g[i] * g[i];
            double m = state1[i] / (1 - Math.pow(spec.beta1(), step));
            double v = state2[i] / (1 - Math.pow(spec.beta2(), step));
            w[i] -= lr * m / (Math.sqrt(v) + spec.epsilon());
          }
        }
      }
    }
  }

  @Test
  void shouldReduceInOneOrderWhateverTheVectorLength() {
    Random random = new Random(3);
    float[] sums = new float[16];
    for (int n : LENGTHS) {
      MemorySegment g = MemorySegment.ofArray(random(random, n));
      float scalar = RowwiseAdagrad.sumOfSquares(FloatVector.SPECIES_128, g, 0, n, 0, sums);
      for (var species :
          new jdk.incubator.vector.VectorSpecies<?>[] {
            FloatVector.SPECIES_64,
            FloatVector.SPECIES_128,
            FloatVector.SPECIES_256,
            FloatVector.SPECIES_512
          }) {
        float vector =
            RowwiseAdagrad.sumOfSquares(
                species.check(float.class), g, 0, n, species.loopBound(n), sums);
        assertEquals(
            Float.floatToRawIntBits(scalar), Float.floatToRawIntBits(vector), species + " " + n);
      }
    }
  }

  /**
   * Another machine, vector length or JDK must end in these very bytes (hazard 15). They are what
   * NumPy computes in float32 by the same formulas.
   */
  @Test
  void shouldEndInTheSameBytesOnEveryMachine() {
    Map<OptimizerKind, Long> expected =
        Map.of(
            OptimizerKind.SGD, 3839837713L,
            OptimizerKind.MOMENTUM, 4255230508L,
            OptimizerKind.ADAGRAD, 621792584L,
            OptimizerKind.ROWWISE_ADAGRAD, 1603676676L,
            OptimizerKind.ADAM, 3206245793L);
    Map<OptimizerKind, Long> actual = new EnumMap<>(OptimizerKind.class);
    for (OptimizerKind kind : OptimizerKind.values()) {
      int n = 27;
      float[] values = new float[n + kind.stateFloats(n)];
      MemorySegment memory = MemorySegment.ofArray(values);
      Optimizer optimizer = Optimizer.of(spec(kind));
      optimizer.initialState(memory, 0, n);
      float[] gradients = new float[n];
      for (int step = 1; step <= 100; step++) {
        for (int i = 0; i < n; i++) {
          gradients[i] = ((step * 31 + i * 17) % 23 - 11) / 7f;
        }
        optimizer.update(memory, 0, n, MemorySegment.ofArray(gradients), 0, 0.01f, step);
      }
      CRC32 crc = new CRC32();
      crc.update(memory.toArray(ValueLayout.JAVA_BYTE));
      actual.put(kind, crc.getValue());
    }
    assertEquals(expected, actual);
  }

  @Test
  void shouldGoOnBeyondTheRememberedCorrectionsOfAdam() {
    try (Arena arena = Arena.ofConfined()) {
      OptimizerSpec slow = new OptimizerSpec(OptimizerKind.ADAM, 0, 0.9f, 0.99999f, 1e-8f, 0);
      float[] gradient = {0.5f};
      for (long step : new long[] {1, 32_767, 32_768, 40_000, 1L << 40}) {
        MemorySegment memory = memory(arena, new float[] {1, 0, 0}, 3);
        Optimizer.of(slow).update(memory, ODD, 1, MemorySegment.ofArray(gradient), 0, 0.1f, step);
        double m = (1 - (double) 0.9f) * 0.5 / (1 - Math.pow(0.9f, (double) step));
        double v = (1 - (double) 0.99999f) * 0.25 / (1 - Math.pow(0.99999f, (double) step));
        float expected = (float) (1 - 0.1 * m / (Math.sqrt(v) + 1e-8));
        assertArrayEquals(
            new float[] {expected}, new float[] {memory.get(FLOAT, ODD)}, 2e-4f, "step " + step);
      }
    }
  }
}
