package io.holdfast.worker;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** Moves rows between the pulled block and the dense engine's feature matrix. */
public final class EmbeddingOps {
  private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
  private static final int LANES = SPECIES.length();

  private EmbeddingOps() {}

  /**
   * Writes each sample's embeddings behind its slot 0, which belongs to the bottom MLP.
   *
   * @param rows {@code [unique, dim]}
   * @param features {@code [samples, tables + 1, dim]}
   */
  public static void gather(LookupPlan plan, int dim, MemorySegment rows, MemorySegment features) {
    long rowBytes = (long) dim * Float.BYTES;
    int tables = plan.tables();
    int[] slots = plan.slots();
    int lookup = 0;
    long target = 0;
    for (int sample = 0; sample < plan.samples(); sample++) {
      target += rowBytes;
      for (int table = 0; table < tables; table++) {
        MemorySegment.copy(rows, slots[lookup++] * rowBytes, features, target, rowBytes);
        target += rowBytes;
      }
    }
  }

  /**
   * Sums the gradients of all uses of a row, in the order of the samples.
   *
   * @param featureGradients {@code [samples, tables + 1, dim]}
   * @param rowGradients {@code [unique, dim]}, overwritten
   */
  public static void scatterAdd(
      LookupPlan plan, int dim, MemorySegment featureGradients, MemorySegment rowGradients) {
    long rowBytes = (long) dim * Float.BYTES;
    int tables = plan.tables();
    int[] slots = plan.slots();
    rowGradients.asSlice(0, plan.unique() * rowBytes).fill((byte) 0);
    int lookup = 0;
    long source = 0;
    for (int sample = 0; sample < plan.samples(); sample++) {
      source += rowBytes;
      for (int table = 0; table < tables; table++) {
        add(featureGradients, source, rowGradients, slots[lookup++] * rowBytes, dim);
        source += rowBytes;
      }
    }
  }

  private static void add(MemorySegment from, long fromAt, MemorySegment to, long toAt, int count) {
    int i = 0;
    ByteOrder order = ByteOrder.nativeOrder();
    for (; i + LANES <= count; i += LANES) {
      long at = 4L * i;
      FloatVector sum =
          FloatVector.fromMemorySegment(SPECIES, to, toAt + at, order)
              .add(FloatVector.fromMemorySegment(SPECIES, from, fromAt + at, order));
      sum.intoMemorySegment(to, toAt + at, order);
    }
    for (; i < count; i++) {
      long at = 4L * i;
      to.set(
          ValueLayout.JAVA_FLOAT_UNALIGNED,
          toAt + at,
          to.get(ValueLayout.JAVA_FLOAT_UNALIGNED, toAt + at)
              + from.get(ValueLayout.JAVA_FLOAT_UNALIGNED, fromAt + at));
    }
  }

  /** True if none of the floats is NaN or infinite: only then all {@code 0 * x} are 0. */
  static boolean allFinite(MemorySegment floats, long count) {
    long i = 0;
    ByteOrder order = ByteOrder.nativeOrder();
    FloatVector sums = FloatVector.zero(SPECIES);
    for (; i + LANES <= count; i += LANES) {
      sums = sums.add(FloatVector.fromMemorySegment(SPECIES, floats, 4L * i, order).mul(0f));
    }
    float sum = 0;
    for (int lane = 0; lane < LANES; lane++) {
      sum += sums.lane(lane);
    }
    for (; i < count; i++) {
      sum += 0f * floats.get(ValueLayout.JAVA_FLOAT_UNALIGNED, 4L * i);
    }
    return sum == 0f;
  }
}
