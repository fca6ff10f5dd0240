package io.holdfast.erasure;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Both kernels against byte-by-byte arithmetic, on native and on heap segments. */
final class KernelsTest {

  private static final long SEED = 77;
  private static final int ROOM = 2048;
  private final Kernels[] all = {new ScalarKernels(), new VectorKernels()};
  private final Random random = new Random(SEED);

  @Test
  void shouldUseVectorsInTheTestsJvm() {
    assertTrue(ErasureCodes.kernelsInUse().startsWith("vector-"), ErasureCodes.kernelsInUse());
  }

  @Test
  void shouldMultiplyEveryByteByEveryCoefficient() {
    try (Arena arena = Arena.ofConfined()) {
      byte[] everyByte = new byte[256];
      for (int i = 0; i < 256; i++) {
        everyByte[i] = (byte) i;
      }
      MemorySegment source = arena.allocate(256).copyFrom(MemorySegment.ofArray(everyByte));
      for (Kernels kernels : all) {
        for (int c = 0; c < 256; c++) {
          MemorySegment target = arena.allocate(256);
          kernels.multiplyFold(c, source, 0, target, 0, 256);
          for (int i = 0; i < 256; i++) {
            assertEquals(
                GaloisField.multiply(c, i),
                target.get(ValueLayout.JAVA_BYTE, i) & 0xFF,
                kernels.name() + ": " + c + " * " + i);
          }
        }
      }
    }
  }

  @Test
  void shouldCombineAnyNumberOfSourcesIntoAnyNumberOfTargetsAndTouchNothingElse() {
    System.out.println("KernelsTest seed " + SEED);
    for (int round = 0; round < 1500; round++) {
      int sourceCount = 1 + random.nextInt(12);
      int targetCount = 1 + random.nextInt(5);
      int length = random.nextInt(round % 3 == 0 ? 600 : 140);
      int position = random.nextInt(100);
      int[][] matrix = new int[targetCount][];
      for (int t = 0; t < targetCount; t++) {
        matrix[t] = random.ints(sourceCount, 0, 256).toArray();
      }
      if (round % 2 == 0) {
        Arrays.fill(matrix[random.nextInt(targetCount)], 1);
      }
      byte[][] sources = randomBytes(sourceCount);
      byte[][] before = randomBytes(targetCount);
      long[] sourceOffsets = random.longs(sourceCount, 0, 200).toArray();
      long[] targetOffsets = random.longs(targetCount, 0, 200).toArray();

      byte[][] expected = new byte[targetCount][];
      for (int t = 0; t < targetCount; t++) {
        expected[t] = before[t].clone();
        for (int b = 0; b < length; b++) {
          int sum = 0;
          for (int i = 0; i < sourceCount; i++) {
            int value = sources[i][(int) sourceOffsets[i] + position + b] & 0xFF;
            sum ^= GaloisField.multiply(matrix[t][i], value);
          }
          expected[t][(int) targetOffsets[t] + position + b] = (byte) sum;
        }
      }

      try (Arena arena = Arena.ofConfined()) {
        MemorySegment[] from = segments(arena, sources);
        if (round % 10 == 9) {
          from[sourceCount - 1] = MemorySegment.ofArray(sources[sourceCount - 1]);
        }
        for (Kernels kernels : all) {
          MemorySegment[] to = segments(arena, before);
          if (round % 20 == 10) {
            to[0] = MemorySegment.ofArray(before[0].clone());
          }
          kernels.combine(
              LinearRow.rowsOf(matrix, kernels),
              from,
              sourceOffsets,
              to,
              targetOffsets,
              position,
              length);
          for (int t = 0; t < targetCount; t++) {
            assertArrayEquals(
                expected[t],
                to[t].toArray(ValueLayout.JAVA_BYTE),
                () -> "%s, %d sources, %d bytes".formatted(kernels.name(), sourceCount, length));
          }
        }
      }
    }
  }

  @Test
  void shouldFoldInPlaceAtAnyOffsetAndLength() {
    try (Arena arena = Arena.ofConfined()) {
      for (int round = 0; round < 1500; round++) {
        int coefficient = round % 5 == 0 ? 1 : random.nextInt(256);
        int length = random.nextInt(round % 3 == 0 ? 900 : 140);
        int sourceOffset = random.nextInt(500);
        int targetOffset = random.nextInt(500);
        byte[] sourceBytes = new byte[ROOM];
        byte[] before = new byte[ROOM];
        random.nextBytes(sourceBytes);
        random.nextBytes(before);
        byte[] expected = before.clone();
        for (int b = 0; b < length; b++) {
          int product = GaloisField.multiply(coefficient, sourceBytes[sourceOffset + b] & 0xFF);
          expected[targetOffset + b] ^= (byte) product;
        }
        MemorySegment source = segment(arena, sourceBytes, round % 10 == 9);
        for (Kernels kernels : all) {
          MemorySegment target = segment(arena, before, round % 20 == 10);
          kernels.multiplyFold(coefficient, source, sourceOffset, target, targetOffset, length);
          assertArrayEquals(
              expected,
              target.toArray(ValueLayout.JAVA_BYTE),
              () -> "%s, %d * %d bytes".formatted(kernels.name(), coefficient, length));
        }
      }
    }
  }

  @Test
  void shouldAddAndSubtractFloatsAlikeAlsoInPlace() {
    try (Arena arena = Arena.ofConfined()) {
      for (int round = 0; round < 400; round++) {
        int count = random.nextInt(150);
        int offset = random.nextInt(64); // Bytes: floats need no alignment.
        float[] a = new float[count];
        float[] b = new float[count];
        for (int i = 0; i < count; i++) {
          a[i] = (float) random.nextGaussian() * (float) Math.pow(10, random.nextInt(20) - 10);
          b[i] = i % 17 == 0 ? -0.0f : (float) random.nextGaussian();
        }
        for (Kernels kernels : all) {
          MemorySegment first = floats(arena, a, offset);
          MemorySegment second = floats(arena, b, 0);
          MemorySegment out = arena.allocate(ROOM);
          kernels.addFloats(first, offset, second, 0, out, 4, 4L * count);
          for (int i = 0; i < count; i++) {
            assertEquals(a[i] + b[i], floatAt(out, 4 + 4L * i), kernels.name());
          }
          kernels.subtractFloats(first, offset, second, 0, first, offset, 4L * count);
          for (int i = 0; i < count; i++) {
            assertEquals(a[i] - b[i], floatAt(first, offset + 4L * i), kernels.name());
          }
        }
      }
    }
  }

  private byte[][] randomBytes(int count) {
    byte[][] bytes = new byte[count][ROOM];
    for (byte[] each : bytes) {
      random.nextBytes(each);
    }
    return bytes;
  }

  private static MemorySegment[] segments(Arena arena, byte[][] bytes) {
    return Arrays.stream(bytes)
        .map(each -> segment(arena, each, false))
        .toArray(MemorySegment[]::new);
  }

  private static MemorySegment segment(Arena arena, byte[] bytes, boolean onHeap) {
    MemorySegment heap = MemorySegment.ofArray(bytes.clone());
    return onHeap ? heap : arena.allocate(bytes.length).copyFrom(heap);
  }

  private static MemorySegment floats(Arena arena, float[] values, int offset) {
    MemorySegment segment = arena.allocate(ROOM);
    for (int i = 0; i < values.length; i++) {
      segment.set(ValueLayout.JAVA_FLOAT_UNALIGNED, offset + 4L * i, values[i]);
    }
    return segment;
  }

  private static float floatAt(MemorySegment segment, long offset) {
    return segment.get(ValueLayout.JAVA_FLOAT_UNALIGNED, offset);
  }
}
