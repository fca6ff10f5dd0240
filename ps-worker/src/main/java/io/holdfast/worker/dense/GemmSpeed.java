package io.holdfast.worker.dense;

import java.lang.foreign.Arena;
import java.util.concurrent.TimeUnit;
import jdk.incubator.vector.FloatVector;

/**
 * How fast this process multiplies matrices: a wrong guess of OpenBLAS about the processor costs
 * two to five times, silently (docs/decisions/0004-openblas-environment.md).
 *
 * @param gigaflopsPerSecond of one thread
 */
public record GemmSpeed(double gigaflopsPerSecond) {
  private static final int SIZE = 768;
  private static final long MEASURE_NANOS = TimeUnit.MILLISECONDS.toNanos(300);

  /**
   * Sound kernels reach 10 or more per float lane on processors of the last decade; kernels for the
   * wrong processor were measured at 3.
   */
  private static final double LEAST_PER_LANE = 6;

  /** Measures the best of several products within about half a second. */
  public static GemmSpeed measure() {
    Nd4jRuntime.start(1);
    long floats = (long) SIZE * SIZE;
    try (Arena arena = Arena.ofConfined();
        FloatArray a = new FloatArray(arena, floats);
        FloatArray b = new FloatArray(arena, floats);
        FloatArray c = new FloatArray(arena, floats)) {
      Block left = a.block(0, SIZE, SIZE);
      Block right = b.block(0, SIZE, SIZE);
      Block result = c.block(0, SIZE, SIZE);
      long best = Long.MAX_VALUE;
      long start = System.nanoTime();
      while (System.nanoTime() - start < MEASURE_NANOS) {
        long before = System.nanoTime();
        Block.multiply(left, false, right, false, result);
        best = Math.min(best, System.nanoTime() - before);
      }
      return new GemmSpeed(2.0 * SIZE * SIZE * SIZE / best);
    }
  }

  /** Whether that is what the processor's vectors allow, roughly. */
  public boolean plausible() {
    return gigaflopsPerSecond >= LEAST_PER_LANE * FloatVector.SPECIES_PREFERRED.length();
  }
}
