package io.holdfast.erasure;

import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.Random;

/** Prints which kernels a JVM chose and a digest of what they compute: run by KernelChoiceTest. */
final class KernelProbe {

  private KernelProbe() {}

  public static void main(String[] arguments) {
    System.out.println(ErasureCodes.kernelsInUse());
    Random random = new Random(5);
    int digest = 1;
    try (Arena arena = Arena.ofConfined()) {
      for (int k = 1; k <= 11; k++) {
        for (int r = 1; r <= 4; r++) {
          ErasureCode code = ErasureCodes.create(CodeKind.REED_SOLOMON, k, r);
          Stripe stripe = new Stripe(code, arena, 190 + k, random).encode();
          code.foldDifference(k - 1, r - 1, stripe.units[0], 3, stripe.units[k], 5, 150);
          digest = 31 * digest + Arrays.deepHashCode(stripe.bytes());
        }
      }
    }
    System.out.println(digest);
  }
}
