package io.holdfast.erasure;

import java.lang.foreign.MemorySegment;

/** XOR and Reed-Solomon: parities are linear combinations of the data over GF(2^8). */
final class LinearCode implements ErasureCode {

  private final CodeKind kind;
  private final int dataUnits;
  private final int parityUnits;
  private final int[][] parityRows;
  private final LinearMap encoder;
  private final Kernels kernels;

  LinearCode(CodeKind kind, int dataUnits, int parityUnits, Kernels kernels) {
    this.kind = kind;
    this.dataUnits = dataUnits;
    this.parityUnits = parityUnits;
    this.parityRows = GaloisMatrix.parityRows(dataUnits, parityUnits);
    this.encoder = new LinearMap(parityRows, kernels);
    this.kernels = kernels;
  }

  @Override
  public CodeKind kind() {
    return kind;
  }

  @Override
  public int dataUnits() {
    return dataUnits;
  }

  @Override
  public int parityUnits() {
    return parityUnits;
  }

  @Override
  public int granularityBytes() {
    return 1;
  }

  @Override
  public void encode(
      MemorySegment[] data,
      long[] dataOffsets,
      MemorySegment[] parity,
      long[] parityOffsets,
      long lengthBytes) {
    Ranges.checkLength(lengthBytes, granularityBytes());
    Ranges.checkSources(data, dataOffsets, dataUnits, lengthBytes, "data");
    Ranges.checkTargets(parity, parityOffsets, parityUnits, lengthBytes, "parity");
    encoder.apply(data, dataOffsets, parity, parityOffsets, lengthBytes);
  }

  @Override
  public Decoder decoder(int... erasedUnits) {
    ErasurePattern pattern = ErasurePattern.of(toString(), dataUnits, parityUnits, erasedUnits);
    int[][] dataOfSources = GaloisMatrix.invert(generatorRows(pattern.sources()));
    int[][] targetsOfSources =
        GaloisMatrix.multiply(generatorRows(pattern.targets()), dataOfSources);
    return new LinearDecoder(pattern, targetsOfSources, kernels);
  }

  /** How the given units depend on the data: rows of the identity above the parity rows. */
  private int[][] generatorRows(int[] units) {
    int[][] rows = new int[units.length][dataUnits];
    for (int i = 0; i < units.length; i++) {
      if (units[i] < dataUnits) {
        rows[i][units[i]] = 1;
      } else {
        rows[i] = parityRows[units[i] - dataUnits];
      }
    }
    return rows;
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
    Ranges.checkIndex(parityIndex, parityUnits, "parity");
    Ranges.checkLength(lengthBytes, granularityBytes());
    Ranges.checkSource(difference, differenceOffset, lengthBytes, "difference");
    Ranges.checkTarget(parity, parityOffset, lengthBytes, "parity");
    kernels.multiplyFold(
        encoder.coefficient(parityIndex, dataIndex),
        difference,
        differenceOffset,
        parity,
        parityOffset,
        lengthBytes);
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
    kernels.xor(
        before, beforeOffset, after, afterOffset, difference, differenceOffset, lengthBytes);
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
    Ranges.checkTarget(value, valueOffset, lengthBytes, "value");
    kernels.xor(difference, differenceOffset, value, valueOffset, value, valueOffset, lengthBytes);
  }

  /** For instance {@code rs(4,2)}. */
  @Override
  public String toString() {
    return "%s(%d,%d)".formatted(kind.settingName(), dataUnits, parityUnits);
  }
}
