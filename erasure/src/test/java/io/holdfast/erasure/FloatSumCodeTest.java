package io.holdfast.erasure;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class FloatSumCodeTest {

  private static final long SEED = 99;
  private final Random random = new Random(SEED);

  @Test
  void shouldDecodeEveryUnitWhenSumsAreExact() {
    for (int k = 1; k <= 8; k++) {
      ErasureCode code = ErasureCodes.create(CodeKind.FLOAT_SUM, k, 1);
      try (Arena arena = Arena.ofConfined()) {
        Stripe stripe = integers(code, arena, 20_000 / 4);
        stripe.encode();
        for (int erased = 0; erased <= k; erased++) {
          stripe.assertDecodes(arena, erased);
          // The same, source by source.
          Decoder decoder = code.decoder(erased);
          MemorySegment target = arena.allocate(stripe.lengthBytes);
          int[] sources = decoder.sources();
          for (int s = k - 1; s >= 0; s--) {
            decoder.foldSource(s, 0, stripe.units[sources[s]], 0, target, 0, stripe.lengthBytes);
          }
          assertEquals(-1, stripe.units[erased].mismatch(target));
        }
      }
    }
  }

  @Test
  void shouldUpdateParityByFloatDifference() {
    ErasureCode code = ErasureCodes.create(CodeKind.FLOAT_SUM, 3, 1);
    try (Arena arena = Arena.ofConfined()) {
      Stripe stripe = integers(code, arena, 75).encode();
      Stripe target = integers(code, arena, 75);
      MemorySegment difference = arena.allocate(stripe.lengthBytes);
      code.difference(stripe.units[1], 0, target.units[1], 0, difference, 0, stripe.lengthBytes);
      assertEquals(
          stripeFloat(target, 1, 7) - stripeFloat(stripe, 1, 7),
          difference.get(JAVA_FLOAT_UNALIGNED, 28));
      code.applyDifference(difference, 0, stripe.units[1], 0, stripe.lengthBytes);
      assertEquals(-1, stripe.units[1].mismatch(target.units[1]));
      code.foldDifference(1, 0, difference, 0, stripe.units[3], 0, stripe.lengthBytes);
      byte[][] folded = stripe.bytes();
      assertArrayEquals(stripe.encode().bytes(), folded);
    }
  }

  @Test
  void shouldMakeTheSameBytesWithVectorsAndWithout() {
    try (Arena arena = Arena.ofConfined()) {
      Stripe vector =
          gaussians(ErasureCodes.create(CodeKind.FLOAT_SUM, 5, 1, new VectorKernels()), arena);
      Stripe scalar =
          gaussians(ErasureCodes.create(CodeKind.FLOAT_SUM, 5, 1, new ScalarKernels()), arena);
      for (int i = 0; i < 5; i++) {
        scalar.units[i].copyFrom(vector.units[i]);
      }
      assertArrayEquals(scalar.encode().bytes(), vector.encode().bytes());
    }
  }

  /**
   * Why this code is no default: XOR gives the lost unit back, the sum only something close to it.
   */
  @Test
  void shouldDriftWhereXorDoesNot() {
    System.out.println("FloatSumCodeTest seed " + SEED);
    double exactShareOfSum = shareOfExactValuesAfterUpdates(CodeKind.FLOAT_SUM);
    assertTrue(exactShareOfSum < 0.2, "bit-exact share of the sum: " + exactShareOfSum);
    assertEquals(1.0, shareOfExactValuesAfterUpdates(CodeKind.XOR));
  }

  private double shareOfExactValuesAfterUpdates(CodeKind kind) {
    int k = 4;
    ErasureCode code = ErasureCodes.create(kind, k, 1);
    try (Arena arena = Arena.ofConfined()) {
      Stripe stripe = gaussians(code, arena).encode();
      int length = stripe.lengthBytes;
      MemorySegment after = arena.allocate(length);
      MemorySegment difference = arena.allocate(length);
      for (int update = 0; update < 2_000; update++) {
        int unit = random.nextInt(k);
        for (long at = 0; at < length; at += 4) {
          float step = 0.01f * (float) random.nextGaussian();
          after.set(
              JAVA_FLOAT_UNALIGNED, at, stripe.units[unit].get(JAVA_FLOAT_UNALIGNED, at) + step);
        }
        code.difference(stripe.units[unit], 0, after, 0, difference, 0, length);
        stripe.units[unit].copyFrom(after);
        code.foldDifference(unit, 0, difference, 0, stripe.units[k], 0, length);
      }
      Decoder decoder = code.decoder(0);
      MemorySegment decoded = arena.allocate(length);
      decoder.decode(stripe.select(decoder.sources()), new MemorySegment[] {decoded});
      int exact = 0;
      for (long at = 0; at < length; at += 4) {
        float lost = stripe.units[0].get(JAVA_FLOAT_UNALIGNED, at);
        float found = decoded.get(JAVA_FLOAT_UNALIGNED, at);
        assertEquals(lost, found, 0.01f, "drift is small after so few updates");
        exact += Float.floatToRawIntBits(lost) == Float.floatToRawIntBits(found) ? 1 : 0;
      }
      return exact / (length / 4.0);
    }
  }

  @Test
  void shouldBePoisonedByOneNanForGood() {
    ErasureCode code = ErasureCodes.create(CodeKind.FLOAT_SUM, 2, 1);
    try (Arena arena = Arena.ofConfined()) {
      Stripe stripe = integers(code, arena, 4).encode();
      MemorySegment difference = arena.allocate(16);
      difference.set(JAVA_FLOAT_UNALIGNED, 4, Float.NaN);
      code.foldDifference(0, 0, difference, 0, stripe.units[2], 0, 16);
      difference.set(JAVA_FLOAT_UNALIGNED, 4, 1f);
      code.foldDifference(0, 0, difference, 0, stripe.units[2], 0, 16);
      Decoder decoder = code.decoder(1);
      MemorySegment decoded = arena.allocate(16);
      decoder.decode(stripe.select(decoder.sources()), new MemorySegment[] {decoded});
      assertTrue(Float.isNaN(decoded.get(JAVA_FLOAT_UNALIGNED, 4)));
      assertEquals(stripeFloat(stripe, 1, 0), decoded.get(JAVA_FLOAT_UNALIGNED, 0));
    }
  }

  @Test
  void shouldDecodeZerosAtStart() {
    ErasureCode code = ErasureCodes.create(CodeKind.FLOAT_SUM, 3, 1);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment[] zeros = {arena.allocate(64), arena.allocate(64), arena.allocate(64)};
      MemorySegment target = arena.allocate(64).fill((byte) 1);
      code.decoder(1).decode(zeros, new MemorySegment[] {target});
      assertArrayEquals(new byte[64], target.toArray(JAVA_BYTE));
    }
  }

  private static float stripeFloat(Stripe stripe, int unit, int index) {
    return stripe.units[unit].get(JAVA_FLOAT_UNALIGNED, 4L * index);
  }

  private Stripe integers(ErasureCode code, Arena arena, int floats) {
    Stripe stripe = new Stripe(code, arena, 4 * floats, random);
    for (MemorySegment unit : stripe.units) {
      for (long at = 0; at < stripe.lengthBytes; at += 4) {
        unit.set(JAVA_FLOAT_UNALIGNED, at, random.nextInt(1_000_000));
      }
    }
    return stripe;
  }

  private Stripe gaussians(ErasureCode code, Arena arena) {
    Stripe stripe = new Stripe(code, arena, 1_028, random);
    for (MemorySegment unit : stripe.units) {
      for (long at = 0; at < stripe.lengthBytes; at += 4) {
        unit.set(JAVA_FLOAT_UNALIGNED, at, (float) random.nextGaussian());
      }
    }
    return stripe;
  }
}
