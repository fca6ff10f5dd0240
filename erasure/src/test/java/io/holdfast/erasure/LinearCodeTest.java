package io.holdfast.erasure;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class LinearCodeTest {

  private static final long SEED = 4_711;
  private static final Kernels SCALAR = new ScalarKernels();
  private static final Kernels VECTOR = new VectorKernels();
  private final Random random = new Random(SEED);

  @Test
  void shouldDecodeEveryErasurePatternOfEverySmallCode() {
    for (int k = 1; k <= 8; k++) {
      for (int r = 1; r <= 4; r++) {
        // One code on vectors with a scalar tail, one on scalars alone.
        decodeEveryPattern(rs(k, r, VECTOR), 101);
        decodeEveryPattern(rs(k, r, SCALAR), 21);
      }
      decodeEveryPattern(ErasureCodes.create(CodeKind.XOR, k, 1), 101);
    }
  }

  @Test
  void shouldDecodeEveryErasurePatternOfSomeLargerCodes() {
    decodeEveryPattern(rs(10, 4, VECTOR), 200);
    decodeEveryPattern(rs(14, 2, VECTOR), 200);
    decodeEveryPattern(rs(12, 5, SCALAR), 9);
    decodeEveryPattern(rs(6, 8, VECTOR), 65);
  }

  @Test
  void shouldDecodeRandomPatternsOfTheLargestCodes() {
    System.out.println("LinearCodeTest seed " + SEED);
    for (int[] shape : new int[][] {{250, 6}, {128, 128}, {255, 1}, {1, 255}, {32, 8}}) {
      ErasureCode code = rs(shape[0], shape[1], VECTOR);
      try (Arena arena = Arena.ofConfined()) {
        Stripe stripe = new Stripe(code, arena, 130, random).encode();
        for (int round = 0; round < 4; round++) {
          stripe.assertDecodes(arena, randomSubset(shape[0] + shape[1], shape[1]));
        }
      }
    }
  }

  @Test
  void shouldDecodeEverySingleLossForEveryNumberOfDataUnits() {
    for (int k = 1; k <= 255; k++) {
      for (CodeKind kind : new CodeKind[] {CodeKind.XOR, CodeKind.REED_SOLOMON}) {
        try (Arena arena = Arena.ofConfined()) {
          Stripe stripe = new Stripe(ErasureCodes.create(kind, k, 1), arena, 70, random).encode();
          for (int lost = 0; lost <= k; lost++) {
            stripe.assertDecodes(arena, lost);
          }
        }
      }
    }
  }

  private void decodeEveryPattern(ErasureCode code, int lengthBytes) {
    int units = code.dataUnits() + code.parityUnits();
    int patterns = 0;
    try (Arena arena = Arena.ofConfined()) {
      Stripe stripe = new Stripe(code, arena, lengthBytes, random).encode();
      for (int set = 1; set < 1 << units; set++) {
        if (Integer.bitCount(set) <= code.parityUnits()) {
          stripe.assertDecodes(arena, members(set));
          patterns++;
        }
      }
    }
    assertEquals(patternCount(units, code.parityUnits()), patterns, code::toString);
  }

  @Test
  void shouldEncodeAsTheDefinitionSays() {
    ErasureCode code = rs(5, 3, VECTOR);
    int[][] rows = GaloisMatrix.parityRows(5, 3);
    try (Arena arena = Arena.ofConfined()) {
      Stripe stripe = new Stripe(code, arena, 333, random).encode();
      byte[][] bytes = stripe.bytes();
      for (int i = 0; i < 3; i++) {
        for (int b = 0; b < 333; b++) {
          int sum = 0;
          for (int j = 0; j < 5; j++) {
            sum ^= GaloisField.multiply(rows[i][j], bytes[j][b] & 0xFF);
          }
          assertEquals((byte) sum, bytes[5 + i][b]);
        }
      }
    }
  }

  @Test
  void shouldMakeTheSameBytesWithVectorsAndWithout() {
    for (int round = 0; round < 300; round++) {
      int k = 1 + random.nextInt(12);
      int r = 1 + random.nextInt(5);
      int length = random.nextInt(round % 20 == 0 ? 20_000 : 400);
      try (Arena arena = Arena.ofConfined()) {
        Stripe vector = new Stripe(rs(k, r, VECTOR), arena, length, random);
        Stripe scalar = new Stripe(rs(k, r, SCALAR), arena, length, random);
        for (int i = 0; i < k; i++) {
          scalar.units[i].copyFrom(vector.units[i]);
        }
        assertArrayEquals(scalar.encode().bytes(), vector.encode().bytes());
      }
    }
  }

  @Test
  void shouldEncodeXorLikeReedSolomonWithOneParity() {
    for (int k = 1; k <= 12; k++) {
      try (Arena arena = Arena.ofConfined()) {
        Stripe xor = new Stripe(ErasureCodes.create(CodeKind.XOR, k, 1), arena, 300, random);
        Stripe rs = new Stripe(rs(k, 1, VECTOR), arena, 300, random);
        for (int i = 0; i < k; i++) {
          rs.units[i].copyFrom(xor.units[i]);
        }
        byte[][] expected = xor.encode().bytes();
        assertArrayEquals(expected, rs.encode().bytes());
        byte[] plain = new byte[300];
        for (int i = 0; i < k; i++) {
          for (int b = 0; b < 300; b++) {
            plain[b] ^= expected[i][b];
          }
        }
        assertArrayEquals(plain, expected[k]);
      }
    }
  }

  @Test
  void shouldReplicateWhenThereIsOneDataUnit() {
    for (CodeKind kind : CodeKind.values()) {
      ErasureCode code = ErasureCodes.create(kind, 1, 1);
      try (Arena arena = Arena.ofConfined()) {
        byte[][] bytes = new Stripe(code, arena, 200, random).encode().bytes();
        assertArrayEquals(bytes[0], bytes[1]);
      }
    }
    try (Arena arena = Arena.ofConfined()) {
      byte[][] bytes = new Stripe(rs(1, 3, VECTOR), arena, 200, random).encode().bytes();
      for (int i = 1; i < 4; i++) {
        assertArrayEquals(bytes[0], bytes[i]);
      }
    }
  }

  @Test
  void shouldKeepParityEqualToEncodeUnderDifferencesFoldedInAnyOrder() {
    System.out.println("LinearCodeTest seed " + SEED);
    for (int round = 0; round < 150; round++) {
      int k = 1 + random.nextInt(8);
      int r = 1 + random.nextInt(4);
      int length = 1 + random.nextInt(700);
      ErasureCode code = rs(k, r, round % 2 == 0 ? VECTOR : SCALAR);
      try (Arena arena = Arena.ofConfined()) {
        Stripe stripe = new Stripe(code, arena, length, random).encode();
        record Fold(int dataIndex, int parityIndex, int offset, MemorySegment difference) {}
        var folds = new ArrayList<Fold>();
        for (int update = 0; update < 6; update++) {
          int dataIndex = random.nextInt(k);
          int offset = random.nextInt(length);
          int part = random.nextInt(length - offset + 1);
          MemorySegment after = arena.allocate(Math.max(1, part));
          byte[] bytes = new byte[part];
          random.nextBytes(bytes);
          MemorySegment.copy(bytes, 0, after, JAVA_BYTE, 0, part);
          MemorySegment row = stripe.units[dataIndex];
          MemorySegment difference = arena.allocate(Math.max(1, part)).asSlice(0, part);
          code.difference(row, offset, after, 0, difference, 0, part);
          code.applyDifference(difference, 0, row, offset, part);
          assertArrayEquals(bytes, row.asSlice(offset, part).toArray(JAVA_BYTE));
          for (int parityIndex = 0; parityIndex < r; parityIndex++) {
            folds.add(new Fold(dataIndex, parityIndex, offset, difference));
          }
        }
        Collections.shuffle(folds, random);
        for (Fold fold : folds) {
          code.foldDifference(
              fold.dataIndex(),
              fold.parityIndex(),
              fold.difference(),
              0,
              stripe.units[k + fold.parityIndex()],
              fold.offset(),
              fold.difference().byteSize());
        }
        byte[][] folded = stripe.bytes();
        assertArrayEquals(stripe.encode().bytes(), folded);
      }
    }
  }

  @Test
  void shouldDecodeFromSourcesThatArriveOneByOneAndFollowLaterDifferences() {
    ErasureCode code = rs(5, 3, VECTOR);
    try (Arena arena = Arena.ofConfined()) {
      Stripe stripe = new Stripe(code, arena, 150, random).encode();
      Decoder decoder = code.decoder(6, 0, 3);
      assertArrayEquals(new int[] {0, 3, 6}, decoder.targets());
      assertArrayEquals(new int[] {1, 2, 4, 5, 7}, decoder.sources());
      int[] sources = decoder.sources();
      int[] targets = decoder.targets();
      MemorySegment[] decoded = new MemorySegment[targets.length];
      for (int t = 0; t < targets.length; t++) {
        decoded[t] = arena.allocate(150);
      }
      for (int s : new int[] {3, 0, 4, 2, 1}) {
        for (int t = 0; t < targets.length; t++) {
          decoder.foldSource(s, t, stripe.units[sources[s]], 0, decoded[t], 0, 150);
        }
      }
      for (int t = 0; t < targets.length; t++) {
        assertEquals(-1, stripe.units[targets[t]].mismatch(decoded[t]));
      }
      // Source 1 (unit 2) changes; its difference reaches parities and decoded units.
      byte[] change = new byte[150];
      random.nextBytes(change);
      MemorySegment difference = arena.allocate(150).copyFrom(MemorySegment.ofArray(change));
      code.applyDifference(difference, 0, stripe.units[2], 0, 150);
      byte[] dataBefore = stripe.units[0].toArray(JAVA_BYTE);
      stripe.encode();
      // Unit 7 was a source too and has changed with unit 2.
      MemorySegment parityDifference = arena.allocate(150);
      code.foldDifference(2, 2, difference, 0, parityDifference, 0, 150);
      MemorySegment firstParityDifference = arena.allocate(150);
      code.foldDifference(2, 0, difference, 0, firstParityDifference, 0, 150);
      for (int t = 0; t < targets.length; t++) {
        decoder.foldSource(1, t, difference, 0, decoded[t], 0, 150);
        decoder.foldSource(3, t, firstParityDifference, 0, decoded[t], 0, 150);
        decoder.foldSource(4, t, parityDifference, 0, decoded[t], 0, 150);
        assertEquals(-1, stripe.units[targets[t]].mismatch(decoded[t]));
      }
      assertArrayEquals(dataBefore, decoded[0].toArray(JAVA_BYTE));
    }
  }

  @Test
  void shouldKeepRawBitsOfFloats() {
    int[] bits = {
      0x80000000, // -0.0
      0x7F800001, // signalling NaN
      0x7FC12345, // quiet NaN with a payload
      0xFFC54321, // negative NaN with a payload
      0x7F800000, // infinity
      0xFF800000, // -infinity
      0x00000001, // smallest subnormal
      0x3F800000
    };
    for (ErasureCode code :
        new ErasureCode[] {ErasureCodes.create(CodeKind.XOR, 4, 1), rs(4, 2, VECTOR)}) {
      try (Arena arena = Arena.ofConfined()) {
        Stripe stripe = new Stripe(code, arena, 4 * bits.length * 4, random);
        for (int i = 0; i < bits.length * 4; i++) {
          stripe.units[1].set(JAVA_INT_UNALIGNED, 4L * i, bits[i % bits.length]);
        }
        stripe.encode();
        stripe.assertDecodes(arena, 1);
        // And through a difference to ordinary values and back.
        MemorySegment ordinary = arena.allocate(stripe.lengthBytes);
        for (long at = 0; at < stripe.lengthBytes; at += 4) {
          ordinary.set(JAVA_FLOAT_UNALIGNED, at, 0.25f);
        }
        MemorySegment difference = arena.allocate(stripe.lengthBytes);
        code.difference(ordinary, 0, stripe.units[1], 0, difference, 0, stripe.lengthBytes);
        code.applyDifference(difference, 0, ordinary, 0, stripe.lengthBytes);
        assertEquals(-1, ordinary.mismatch(stripe.units[1]));
      }
    }
  }

  @Test
  void shouldReadAndWriteOnlyTheGivenRanges() {
    ErasureCode code = rs(3, 2, VECTOR);
    try (Arena arena = Arena.ofConfined()) {
      Stripe whole = new Stripe(code, arena, 5_000, random);
      byte[][] before = whole.bytes();
      long[] dataOffsets = {17, 1_000, 64};
      long[] parityOffsets = {5, 2_001};
      int length = 999;
      code.encode(whole.data(), dataOffsets, whole.parity(), parityOffsets, length);
      byte[][] after = whole.bytes();
      for (int i = 0; i < 3; i++) {
        assertArrayEquals(before[i], after[i]);
      }
      MemorySegment[] data = new MemorySegment[3];
      for (int i = 0; i < 3; i++) {
        data[i] = whole.units[i].asSlice(dataOffsets[i], length);
      }
      MemorySegment[] parity = {arena.allocate(length), arena.allocate(length)};
      code.encode(data, parity);
      for (int i = 0; i < 2; i++) {
        byte[] expected = before[3 + i];
        MemorySegment.copy(parity[i], JAVA_BYTE, 0, expected, (int) parityOffsets[i], length);
        assertArrayEquals(expected, after[3 + i]);
      }
    }
  }

  @Test
  void shouldEncodeRangesLongerThanOneCacheBlock() {
    for (int k : new int[] {2, 5, 10}) {
      try (Arena arena = Arena.ofConfined()) {
        Stripe stripe = new Stripe(rs(k, 3, VECTOR), arena, 300_007, random).encode();
        stripe.assertDecodes(arena, 0, k - 1, k + 1);
      }
    }
  }

  private static ErasureCode rs(int k, int r, Kernels kernels) {
    return ErasureCodes.create(CodeKind.REED_SOLOMON, k, r, kernels);
  }

  /** Non-empty subsets of n with at most {@code most} members. */
  private static int patternCount(int n, int most) {
    int count = 0;
    int binomial = 1;
    for (int i = 1; i <= most; i++) {
      binomial = binomial * (n - i + 1) / i;
      count += binomial;
    }
    return count;
  }

  private static int[] members(int set) {
    int[] members = new int[Integer.bitCount(set)];
    for (int i = 0, at = 0; at < members.length; i++) {
      if ((set >> i & 1) == 1) {
        members[at++] = i;
      }
    }
    return members;
  }

  private int[] randomSubset(int n, int size) {
    int[] all = new int[n];
    for (int i = 0; i < n; i++) {
      int j = random.nextInt(i + 1);
      all[i] = all[j];
      all[j] = i;
    }
    return Arrays.copyOf(all, size);
  }
}
