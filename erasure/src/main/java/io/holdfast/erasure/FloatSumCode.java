package io.holdfast.erasure;

import java.lang.foreign.MemorySegment;

/**
 * The code of ECRM's paper: the one parity is the float32 sum of the data units (native byte
 * order).
 *
 * <p>Its data units are not rows but <em>differences of rows from their initial values</em>, by
 * float subtraction, so that all units are zero at start. A decoded unit is therefore {@code row -
 * initialRow}, and the row comes from adding the initial row: never mix this code with {@code row
 * XOR initialRow}.
 *
 * <p>Two faults are the code's nature, not this implementation's:
 *
 * <ul>
 *   <li><b>Drift.</b> Every fold and every decode rounds. A recovered row is close to the lost one,
 *       not equal, and the error grows with the number of updates and with the largest value of the
 *       stripe, so that a small value beside large ones can lose all its bits.
 *   <li><b>Poison.</b> A NaN or an infinity in one unit makes the parity NaN or infinite at that
 *       position, and folding a later, finite difference does not heal it: no unit of the stripe
 *       can be decoded there until the parity is encoded anew.
 * </ul>
 */
final class FloatSumCode implements ErasureCode {

  private static final int PARITY_UNITS = 1;

  /** A block of a target stays in the first-level cache while all sources are added to it. */
  private static final int BLOCK_BYTES = 8 << 10;

  private final int dataUnits;
  private final Kernels kernels;

  FloatSumCode(int dataUnits, Kernels kernels) {
    this.dataUnits = dataUnits;
    this.kernels = kernels;
  }

  @Override
  public CodeKind kind() {
    return CodeKind.FLOAT_SUM;
  }

  @Override
  public int dataUnits() {
    return dataUnits;
  }

  @Override
  public int parityUnits() {
    return PARITY_UNITS;
  }

  @Override
  public int granularityBytes() {
    return Float.BYTES;
  }

  /** Adds the data units one after another, in ascending order. */
  @Override
  public void encode(
      MemorySegment[] data,
      long[] dataOffsets,
      MemorySegment[] parity,
      long[] parityOffsets,
      long lengthBytes) {
    Ranges.checkLength(lengthBytes, granularityBytes());
    Ranges.checkSources(data, dataOffsets, dataUnits, lengthBytes, "data");
    Ranges.checkTargets(parity, parityOffsets, PARITY_UNITS, lengthBytes, "parity");
    for (long position = 0; position < lengthBytes; position += BLOCK_BYTES) {
      long block = Math.min(BLOCK_BYTES, lengthBytes - position);
      long to = parityOffsets[0] + position;
      MemorySegment.copy(data[0], dataOffsets[0] + position, parity[0], to, block);
      for (int i = 1; i < dataUnits; i++) {
        kernels.addFloats(parity[0], to, data[i], dataOffsets[i] + position, parity[0], to, block);
      }
    }
  }

  @Override
  public Decoder decoder(int... erasedUnits) {
    return new SumDecoder(ErasurePattern.of(toString(), dataUnits, PARITY_UNITS, erasedUnits));
  }

  @Override
  public void foldDifference(
      int dataIndex,
      int parityIndex,
      MemorySegment difference,
      long differenceOffset,
      MemorySegment parity,
      long parityOffset,
      long lengthBytes) {
    Ranges.checkIndex(dataIndex, dataUnits, "data unit");
    Ranges.checkIndex(parityIndex, PARITY_UNITS, "parity");
    applyDifference(difference, differenceOffset, parity, parityOffset, lengthBytes);
  }

  @Override
  public void difference(
      MemorySegment before,
      long beforeOffset,
      MemorySegment after,
      long afterOffset,
      MemorySegment difference,
      long differenceOffset,
      long lengthBytes) {
    Ranges.checkLength(lengthBytes, granularityBytes());
    Ranges.checkSource(before, beforeOffset, lengthBytes, "state before");
    Ranges.checkSource(after, afterOffset, lengthBytes, "state after");
    Ranges.checkTarget(difference, differenceOffset, lengthBytes, "difference");
    kernels.subtractFloats(
        after, afterOffset, before, beforeOffset, difference, differenceOffset, lengthBytes);
  }

  @Override
  public void applyDifference(
      MemorySegment difference,
      long differenceOffset,
      MemorySegment value,
      long valueOffset,
      long lengthBytes) {
    Ranges.checkLength(lengthBytes, granularityBytes());
    Ranges.checkSource(difference, differenceOffset, lengthBytes, "difference");
    Ranges.checkTarget(value, valueOffset, lengthBytes, "target");
    kernels.addFloats(
        value, valueOffset, difference, differenceOffset, value, valueOffset, lengthBytes);
  }

  /** For instance {@code sum(4,1)}. */
  @Override
  public String toString() {
    return "%s(%d,%d)".formatted(kind().settingName(), dataUnits, PARITY_UNITS);
  }

  /** Adds what survives, or subtracts the surviving data units from the parity. */
  private final class SumDecoder implements Decoder {

    private final ErasurePattern pattern;

    SumDecoder(ErasurePattern pattern) {
      this.pattern = pattern;
    }

    @Override
    public int[] sources() {
      return pattern.sources().clone();
    }

    @Override
    public int[] targets() {
      return pattern.targets().clone();
    }

    @Override
    public void decode(
        MemorySegment[] sources,
        long[] sourceOffsets,
        MemorySegment[] targets,
        long[] targetOffsets,
        long lengthBytes) {
      if (isParityErased()) {
        encode(sources, sourceOffsets, targets, targetOffsets, lengthBytes);
        return;
      }
      Ranges.checkLength(lengthBytes, granularityBytes());
      Ranges.checkSources(sources, sourceOffsets, dataUnits, lengthBytes, "source");
      Ranges.checkTargets(targets, targetOffsets, PARITY_UNITS, lengthBytes, "target");
      int parity = dataUnits - 1; // Sources ascend, so the parity is the last one.
      for (long position = 0; position < lengthBytes; position += BLOCK_BYTES) {
        long block = Math.min(BLOCK_BYTES, lengthBytes - position);
        long to = targetOffsets[0] + position;
        MemorySegment.copy(
            sources[parity], sourceOffsets[parity] + position, targets[0], to, block);
        for (int i = 0; i < parity; i++) {
          kernels.subtractFloats(
              targets[0], to, sources[i], sourceOffsets[i] + position, targets[0], to, block);
        }
      }
    }

    @Override
    public void foldSource(
        int sourceIndex,
        int targetIndex,
        MemorySegment source,
        long sourceOffset,
        MemorySegment target,
        long targetOffset,
        long lengthBytes) {
      Ranges.checkIndex(sourceIndex, dataUnits, "source");
      Ranges.checkIndex(targetIndex, PARITY_UNITS, "target");
      Ranges.checkLength(lengthBytes, granularityBytes());
      Ranges.checkSource(source, sourceOffset, lengthBytes, "source");
      Ranges.checkTarget(target, targetOffset, lengthBytes, "target");
      if (isParityErased() || sourceIndex == dataUnits - 1) {
        kernels.addFloats(
            target, targetOffset, source, sourceOffset, target, targetOffset, lengthBytes);
      } else {
        kernels.subtractFloats(
            target, targetOffset, source, sourceOffset, target, targetOffset, lengthBytes);
      }
    }

    private boolean isParityErased() {
      return pattern.targets()[0] == dataUnits;
    }
  }
}
