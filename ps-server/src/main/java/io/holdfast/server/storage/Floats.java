package io.holdfast.server.storage;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** Copies of single rows: too short for {@link MemorySegment#copy} to earn its call. */
public final class Floats {
  private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  private Floats() {}

  /** Copies floats bit for bit; neither place needs to be aligned. */
  public static void copy(
      MemorySegment source, long sourceBytes, MemorySegment target, long targetBytes, int count) {
    int i = 0;
    for (int end = SPECIES.loopBound(count); i < end; i += SPECIES.length()) {
      FloatVector.fromMemorySegment(SPECIES, source, sourceBytes + 4L * i, ORDER)
          .intoMemorySegment(target, targetBytes + 4L * i, ORDER);
    }
    for (; i < count; i++) {
      target.set(
          ValueLayout.JAVA_INT_UNALIGNED,
          targetBytes + 4L * i,
          source.get(ValueLayout.JAVA_INT_UNALIGNED, sourceBytes + 4L * i));
    }
  }
}
