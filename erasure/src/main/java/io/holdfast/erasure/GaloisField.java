package io.holdfast.erasure;

/**
 * Arithmetic of GF(2^8) with the polynomial x^8 + x^4 + x^3 + x^2 + 1 (0x11D), under which 2
 * generates all non-zero elements. Addition is XOR. Source: J. S. Plank, "A tutorial on
 * Reed-Solomon coding for fault-tolerance in RAID-like systems", 1997.
 */
final class GaloisField {

  static final int SIZE = 256;
  private static final int POLYNOMIAL = 0x11D;
  private static final int[] EXP = new int[2 * (SIZE - 1)];
  private static final int[] LOG = new int[SIZE];

  static {
    int power = 1;
    for (int i = 0; i < SIZE - 1; i++) {
      EXP[i] = power;
      EXP[i + SIZE - 1] = power;
      LOG[power] = i;
      power <<= 1;
      if (power >= SIZE) {
        power ^= POLYNOMIAL;
      }
    }
  }

  private GaloisField() {}

  static int multiply(int a, int b) {
    return a == 0 || b == 0 ? 0 : EXP[LOG[a] + LOG[b]];
  }

  static int inverse(int a) {
    if (a == 0) {
      throw new ArithmeticException("0 has no inverse in GF(2^8)");
    }
    return EXP[SIZE - 1 - LOG[a]];
  }
}
