package io.holdfast.worker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.config.model.ModelSpec;
import io.holdfast.config.placement.StripeMap;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

class EmbeddingOpsTest {
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

  @Test
  void shouldGatherBehindSlotZeroAndSumGradientsOfAllUses() {
    for (int dim : new int[] {1, 4, 16, 19, 33}) {
      ModelSpec model = TestJobs.model(2, 5, dim);
      LookupPlan plan = new LookupPlan(model, StripeMap.of(3, 1, 0, model.totalRows()));
      plan.build(new int[] {1, 2, 1, 4, 3, 2}, 2, 3);
      try (Arena arena = Arena.ofConfined()) {
        int rowBytes = 4 * dim;
        MemorySegment rows = arena.allocate((long) plan.unique() * rowBytes);
        for (int u = 0; u < plan.unique(); u++) {
          for (int i = 0; i < dim; i++) {
            rows.set(FLOAT, (long) u * rowBytes + 4L * i, (float) (100 * plan.rows()[u] + i));
          }
        }
        MemorySegment features = arena.allocate(3L * 3 * rowBytes);
        EmbeddingOps.gather(plan, dim, rows, features);
        // Sample 2, table 1 (offset 5): id 2, global row 7.
        assertEquals(700 + dim - 1, features.get(FLOAT, (2L * 3 + 2) * rowBytes + 4L * (dim - 1)));
        assertEquals(0, features.get(FLOAT, 0), "slot 0 is the engine's");

        MemorySegment gradients = arena.allocate(3L * 3 * rowBytes);
        for (int at = 0; at < 3 * 3 * dim; at++) {
          gradients.set(FLOAT, 4L * at, 1 + at / (3 * dim));
        }
        EmbeddingOps.scatterAdd(plan, dim, gradients, rows);
        for (int u = 0; u < plan.unique(); u++) {
          // Row 1 is used by samples 0 and 1, row 7 by 0 and 2, row 9 by 1, row 3 by 2.
          float expected =
              switch ((int) plan.rows()[u]) {
                case 1 -> 1 + 2;
                case 7 -> 1 + 3;
                case 9 -> 2;
                case 3 -> 3;
                default -> Float.NaN;
              };
          for (int i = 0; i < dim; i++) {
            assertEquals(expected, rows.get(FLOAT, (long) u * rowBytes + 4L * i));
          }
        }
      }
    }
  }

  @Test
  void shouldFindASingleValueThatIsNotFinite() {
    try (Arena arena = Arena.ofConfined()) {
      for (int count : new int[] {1, 15, 16, 17, 100}) {
        MemorySegment floats = arena.allocate(4L * count);
        for (int i = 0; i < count; i++) {
          floats.set(FLOAT, 4L * i, i % 2 == 0 ? -Float.MAX_VALUE : Float.MIN_VALUE);
        }
        assertTrue(EmbeddingOps.allFinite(floats, count));
        for (int i = 0; i < count; i++) {
          for (float bad : new float[] {Float.NaN, Float.NEGATIVE_INFINITY}) {
            float good = floats.get(FLOAT, 4L * i);
            floats.set(FLOAT, 4L * i, bad);
            assertFalse(EmbeddingOps.allFinite(floats, count), bad + " at " + i + " of " + count);
            floats.set(FLOAT, 4L * i, good);
          }
        }
      }
    }
  }
}
