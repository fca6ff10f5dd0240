package io.holdfast.erasure;

/** Makes erasure codes. */
public final class ErasureCodes {

  /** Reed-Solomon over GF(2^8) has that many different units at most. */
  public static final int MAX_UNITS = GaloisField.SIZE;

  private ErasureCodes() {}

  /**
   * Makes the code with k data units and r parities. {@code k = 1, r = 1} is replication under
   * every kind, and {@code k = 1} with any r under Reed-Solomon.
   *
   * @throws IllegalArgumentException if k or r is less than 1, if r is not 1 for XOR or the float
   *     sum, or if k + r exceeds {@link #MAX_UNITS} for Reed-Solomon
   */
  public static ErasureCode create(CodeKind kind, int dataUnits, int parityUnits) {
    return create(kind, dataUnits, parityUnits, KernelChoice.KERNELS);
  }

  static ErasureCode create(CodeKind kind, int dataUnits, int parityUnits, Kernels kernels) {
    String asked = "code %s with k=%d, r=%d".formatted(kind.settingName(), dataUnits, parityUnits);
    if (dataUnits < 1 || parityUnits < 1) {
      throw new IllegalArgumentException(asked + ": k and r must be at least 1");
    }
    if (kind != CodeKind.REED_SOLOMON && parityUnits != 1) {
      throw new IllegalArgumentException(
          asked + ": it has exactly one parity, r must be 1; take code rs for more");
    }
    // Summed as long: k + r may exceed an int. XOR shares the limit, since it is Reed-Solomon's
    // first
    // row.
    if ((long) dataUnits + parityUnits > MAX_UNITS) {
      throw new IllegalArgumentException(asked + ": k + r must be at most " + MAX_UNITS);
    }
    return switch (kind) {
      case XOR, REED_SOLOMON -> new LinearCode(kind, dataUnits, parityUnits, kernels);
      case FLOAT_SUM -> new FloatSumCode(dataUnits, kernels);
    };
  }

  /**
   * Which inner loops this JVM uses: {@code vector-512}, {@code vector-256}, {@code vector-128} or
   * {@code scalar}, with the reason if it is scalar. Chosen once; {@code
   * -Dholdfast.erasure.kernels=scalar|vector} overrides.
   */
  public static String kernelsInUse() {
    return KernelChoice.DESCRIPTION;
  }
}
