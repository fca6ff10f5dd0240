package io.holdfast.erasure;

import java.util.Arrays;

/**
 * Which units are lost, and which k of the survivors a decoder reads: all surviving data units,
 * then the first surviving parities.
 *
 * @param sources k unit numbers, ascending
 * @param targets the erased unit numbers, ascending
 */
@SuppressWarnings("ArrayRecordComponent") // Never compared; handed out only as copies.
record ErasurePattern(int[] sources, int[] targets) {

  static ErasurePattern of(String code, int dataUnits, int parityUnits, int... erasedUnits) {
    int units = dataUnits + parityUnits;
    if (erasedUnits.length == 0 || erasedUnits.length > parityUnits) {
      throw new IllegalArgumentException(
          "%d units are erased (%s); code %s repairs 1 to %d"
              .formatted(erasedUnits.length, Arrays.toString(erasedUnits), code, parityUnits));
    }
    boolean[] erased = new boolean[units];
    for (int unit : erasedUnits) {
      Ranges.checkIndex(unit, units, "unit of code " + code);
      if (erased[unit]) {
        throw new IllegalArgumentException(
            "unit %d is named twice in %s".formatted(unit, Arrays.toString(erasedUnits)));
      }
      erased[unit] = true;
    }
    int[] sources = new int[dataUnits];
    int found = 0;
    for (int unit = 0; found < dataUnits; unit++) {
      if (!erased[unit]) {
        sources[found++] = unit;
      }
    }
    int[] targets = erasedUnits.clone();
    Arrays.sort(targets);
    return new ErasurePattern(sources, targets);
  }
}
