package io.holdfast.worker.dense;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * The loops between the GEMMs, on column-major {@code [features, samples]} matrices: one sample's
 * features are contiguous. Offsets and sizes are in floats.
 *
 * <p>Sums run in an order that the code fixes. {@code reduceLanes} is not used: its order differs
 * between interpreted and compiled code, and with it the last bits of a result.
 */
final class Kernels {
  private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
  private static final int LANES = SPECIES.length();
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT;

  private Kernels() {}

  static FloatVector load(MemorySegment segment, long index) {
    return FloatVector.fromMemorySegment(SPECIES, segment, index * Float.BYTES, ORDER);
  }

  static void store(FloatVector vector, MemorySegment segment, long index) {
    vector.intoMemorySegment(segment, index * Float.BYTES, ORDER);
  }

  private static float get(MemorySegment segment, long index) {
    return segment.getAtIndex(FLOAT, index);
  }

  private static void set(MemorySegment segment, long index, float value) {
    segment.setAtIndex(FLOAT, index, value);
  }

  /** {@code x = max(x + bias, 0)}; NaN stays NaN. */
  static void biasRelu(
      MemorySegment x, long offset, int rows, int columns, MemorySegment parameters, int bias) {
    int vectorRows = SPECIES.loopBound(rows);
    for (int column = 0; column < columns; column++) {
      long start = offset + (long) column * rows;
      for (int row = 0; row < vectorRows; row += LANES) {
        FloatVector z = load(x, start + row).add(load(parameters, bias + row));
        store(z.blend(0f, z.compare(VectorOperators.LT, 0f)), x, start + row);
      }
      for (int row = vectorRows; row < rows; row++) {
        float z = get(x, start + row) + get(parameters, bias + row);
        set(x, start + row, z < 0 ? 0 : z);
      }
    }
  }

  /**
   * Gradient through ReLU and bias.
   *
   * @param activation after ReLU; receives {@code gradient} where it was positive, else 0
   * @param gradient of the activation, contiguous
   * @param sums receives the sums of the result over the columns from {@code bias} on
   */
  static void reluBackward(
      MemorySegment activation,
      long offset,
      MemorySegment gradient,
      long gradientOffset,
      int rows,
      int columns,
      MemorySegment sums,
      int bias) {
    sums.asSlice((long) bias * Float.BYTES, (long) rows * Float.BYTES).fill((byte) 0);
    int vectorRows = SPECIES.loopBound(rows);
    int column = 0;
    for (; column + 4 <= columns; column += 4) {
      long a0 = offset + (long) column * rows;
      long g0 = gradientOffset + (long) column * rows;
      for (int row = 0; row < vectorRows; row += LANES) {
        FloatVector sum = load(sums, bias + row);
        sum = sum.add(mask(activation, a0 + row, gradient, g0 + row));
        sum = sum.add(mask(activation, a0 + rows + row, gradient, g0 + rows + row));
        sum = sum.add(mask(activation, a0 + 2L * rows + row, gradient, g0 + 2L * rows + row));
        sum = sum.add(mask(activation, a0 + 3L * rows + row, gradient, g0 + 3L * rows + row));
        store(sum, sums, bias + row);
      }
      for (int i = 0; i < 4; i++) {
        maskTail(
            activation,
            a0 + (long) i * rows,
            gradient,
            g0 + (long) i * rows,
            vectorRows,
            rows,
            sums,
            bias);
      }
    }
    for (; column < columns; column++) {
      long a = offset + (long) column * rows;
      long g = gradientOffset + (long) column * rows;
      for (int row = 0; row < vectorRows; row += LANES) {
        FloatVector sum = load(sums, bias + row);
        store(sum.add(mask(activation, a + row, gradient, g + row)), sums, bias + row);
      }
      maskTail(activation, a, gradient, g, vectorRows, rows, sums, bias);
    }
  }

  private static FloatVector mask(
      MemorySegment activation, long a, MemorySegment gradient, long g) {
    FloatVector z =
        load(gradient, g).blend(0f, load(activation, a).compare(VectorOperators.LE, 0f));
    store(z, activation, a);
    return z;
  }

  private static void maskTail(
      MemorySegment activation,
      long a,
      MemorySegment gradient,
      long g,
      int from,
      int rows,
      MemorySegment sums,
      int bias) {
    for (int row = from; row < rows; row++) {
      float z = get(activation, a + row) <= 0 ? 0 : get(gradient, g + row);
      set(activation, a + row, z);
      set(sums, bias + row, get(sums, bias + row) + z);
    }
  }

  /** {@code sum of x[i] * w[i]}, the lanes' partial sums added from the first to the last. */
  static float dot(MemorySegment x, long xStart, MemorySegment w, int wStart, int length) {
    int vectorLength = SPECIES.loopBound(length);
    FloatVector sums = FloatVector.zero(SPECIES);
    for (int i = 0; i < vectorLength; i += LANES) {
      sums = load(x, xStart + i).fma(load(w, wStart + i), sums);
    }
    float sum = 0;
    for (int lane = 0; lane < LANES; lane++) {
      sum += sums.lane(lane);
    }
    for (int i = vectorLength; i < length; i++) {
      sum += get(x, xStart + i) * get(w, wStart + i);
    }
    return sum;
  }

  /** {@code target += factor * x}. */
  static void addScaled(
      MemorySegment target, long tStart, float factor, MemorySegment x, long xStart, int length) {
    int vectorLength = SPECIES.loopBound(length);
    FloatVector factors = FloatVector.broadcast(SPECIES, factor);
    for (int i = 0; i < vectorLength; i += LANES) {
      store(load(x, xStart + i).fma(factors, load(target, tStart + i)), target, tStart + i);
    }
    for (int i = vectorLength; i < length; i++) {
      set(target, tStart + i, Math.fma(get(x, xStart + i), factor, get(target, tStart + i)));
    }
  }

  /** {@code target = factor * x}. */
  static void scale(
      MemorySegment target, long tStart, float factor, MemorySegment x, long xStart, int length) {
    int vectorLength = SPECIES.loopBound(length);
    for (int i = 0; i < vectorLength; i += LANES) {
      store(load(x, xStart + i).mul(factor), target, tStart + i);
    }
    for (int i = vectorLength; i < length; i++) {
      set(target, tStart + i, get(x, xStart + i) * factor);
    }
  }

  /** {@code target += x}. */
  static void add(MemorySegment target, long tStart, MemorySegment x, long xStart, long length) {
    long vectorLength = SPECIES.loopBound(length);
    for (long i = 0; i < vectorLength; i += LANES) {
      store(load(target, tStart + i).add(load(x, xStart + i)), target, tStart + i);
    }
    for (long i = vectorLength; i < length; i++) {
      set(target, tStart + i, get(target, tStart + i) + get(x, xStart + i));
    }
  }

  static void copy(
      MemorySegment from, long fromStart, MemorySegment to, long toStart, long length) {
    MemorySegment.copy(
        from, fromStart * Float.BYTES, to, toStart * Float.BYTES, length * Float.BYTES);
  }
}
