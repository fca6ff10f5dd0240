package io.holdfast.worker.dense;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.bytedeco.javacpp.FloatPointer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.concurrency.AffinityManager.Location;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Zeroed off-heap floats that ND4J owns, seen both as a {@link MemorySegment} by our loops and as
 * column-major matrices by ND4J. The segment starts at a multiple of 64 bytes.
 */
final class FloatArray implements AutoCloseable {
  private static final int ALIGNMENT_BYTES = 64;

  private final INDArray owner;
  private final MemorySegment segment;
  private final long skippedFloats;

  /**
   * Allocates.
   *
   * @param arena ends the use of the segment; close this array after it
   */
  @SuppressWarnings("restricted") // ND4J gives an address; its length is what was asked for.
  FloatArray(Arena arena, long length) {
    owner = Nd4j.create(DataType.FLOAT, length + ALIGNMENT_BYTES / Float.BYTES);
    Nd4j.getAffinityManager().ensureLocation(owner, Location.HOST);
    long address = owner.data().pointer().address();
    long skippedBytes = Math.floorMod(-address, ALIGNMENT_BYTES);
    skippedFloats = skippedBytes / Float.BYTES;
    segment =
        MemorySegment.ofAddress(address + skippedBytes)
            .reinterpret(length * Float.BYTES, arena, null);
  }

  MemorySegment segment() {
    return segment;
  }

  /**
   * A matrix over a part of this array.
   *
   * @param offset its first element
   */
  Block block(long offset, int rows, int columns) {
    INDArray matrix =
        Nd4j.create(
            owner.data(),
            new long[] {rows, columns},
            new long[] {1, rows},
            skippedFloats + offset,
            'f');
    FloatPointer pointer = new FloatPointer(owner.data().pointer());
    pointer.position(skippedFloats + offset);
    return new Block(segment, offset, rows, columns, matrix, pointer);
  }

  /** The first {@code rows} rows of a row-major matrix that starts where this array does. */
  INDArray rowMajor(long rows, long columns) {
    return view(0, new long[] {rows, columns}, new long[] {columns, 1});
  }

  /**
   * Any view. Made here from the whole array, because ND4J M2.1 takes views of views for empty when
   * they lie behind the length of the first (it compares their offset with that).
   */
  INDArray view(long offset, long[] shape, long[] strides) {
    return Nd4j.create(owner.data(), shape, strides, skippedFloats + offset, 'c');
  }

  @Override
  public void close() {
    owner.close();
  }
}
