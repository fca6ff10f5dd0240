package io.holdfast.erasure;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.zip.DataFormatException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class DeltaPackingTest {
  private static final long SEED = 20261121;
  private static final byte GUARD = 0x5A;

  /** Bytes before and after each range that must stay as they are. */
  private static final int MARGIN = 64;

  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final Arena arena = Arena.ofConfined();
  private final Random random = new Random(SEED);
  private DeltaPacking packing = new DeltaPacking();

  @Test
  void shouldUseVectorsWhereTheCodesDo() {
    assertEquals(ErasureCodes.kernelsInUse().equals("vector-512"), new DeltaPacking().vectorised());
    assertFalse(new DeltaPacking(false).vectorised());
  }

  @AfterEach
  void close() {
    arena.close();
  }

  @Test
  void shouldUnpackTheVeryBitsOfEveryWidthAndLength() throws DataFormatException {
    for (int width = 0; width <= 32; width++) {
      for (int floats = 0; floats <= 70; floats++) {
        int[] bits = widths(floats, width);
        byte[] packed = pack(bits);
        if (packed != null) {
          assertArrayEquals(bits, unpack(packed, floats), "width " + width);
        }
        assertEquals(reference(bits).length > DeltaPacking.maxPackedBytes(floats), packed == null);
      }
    }
  }

  @Test
  void shouldMakeTheBytesThatItsFormTells() {
    int packedOnes = 0;
    for (int round = 0; round < 3000; round++) {
      int[] bits = mixed(random.nextInt(400));
      byte[] packed = pack(bits);
      if (packed != null) {
        packedOnes++;
        assertArrayEquals(reference(bits), packed, "seed " + SEED + " round " + round);
      }
    }
    assertTrue(packedOnes > 1000, packedOnes + " were packed");
  }

  @Test
  void shouldUnpackTheVeryBitsOfMixedWidths() throws DataFormatException {
    for (int round = 0; round < 3000; round++) {
      int[] bits = mixed(random.nextInt(1000));
      byte[] packed = pack(bits);
      if (packed != null) {
        assertArrayEquals(bits, unpack(packed, bits.length), "seed " + SEED + " round " + round);
      }
    }
  }

  @Test
  void shouldKeepPayloadsOfNaNsAndSignsOfZeros() throws DataFormatException {
    int[] bits = new int[800];
    bits[0] = 0x7FC0_0001;
    bits[1] = 0xFFC1_2345;
    bits[2] = 0x7F80_0001; // a signalling NaN
    bits[3] = Float.floatToRawIntBits(-0.0f);
    bits[4] = Float.floatToRawIntBits(Float.NEGATIVE_INFINITY);
    bits[5] = 1;
    bits[799] = 0x7F80_0001;
    assertArrayEquals(bits, unpack(pack(bits), bits.length));
  }

  @Test
  void shouldPackZerosIntoOneByteForEightFloats() throws DataFormatException {
    byte[] packed = pack(new int[8000]);
    assertEquals(1000, packed.length);
    assertArrayEquals(new int[8000], unpack(packed, 8000));
  }

  @Test
  void shouldTellThatRandomBitsAreNotWorthIt() {
    for (int floats : new int[] {1, 8, 100, 10_000}) {
      int[] bits = random.ints(floats).map(i -> i | Integer.MIN_VALUE).toArray();
      assertEquals(null, pack(bits));
    }
  }

  @Test
  void shouldPackUpToTheLimitAndNotBeyond() {
    // 100 blocks: 100 widths and 100 * w bytes of 3200; the limit is 2880.
    assertEquals(2800, pack(widths(800, 27)).length);
    int[] bits = widths(800, 27);
    for (int block = 0; block < 80; block++) {
      bits[8 * block] = 1 << 27;
    }
    assertEquals(2880, pack(bits).length);
    bits[8 * 80] = 1 << 27;
    assertEquals(null, pack(bits));
  }

  @Test
  void shouldRefuseEveryTruncation() {
    int[] bits = mixedThatPack(300);
    byte[] packed = pack(bits);
    for (int length = 0; length < packed.length; length++) {
      byte[] shorter = Arrays.copyOf(packed, length);
      DataFormatException thrown =
          assertThrows(DataFormatException.class, () -> unpack(shorter, bits.length));
      assertTrue(thrown.getMessage().contains(length + " bytes"), thrown.getMessage());
    }
    byte[] longer = Arrays.copyOf(packed, packed.length + 1);
    assertThrows(DataFormatException.class, () -> unpack(longer, bits.length));
  }

  @Test
  void shouldRefuseAnotherNumberOfFloats() {
    byte[] packed = pack(widths(800, 9));
    for (int floats : new int[] {0, 1, 400, 792, 801, 808, 100_000}) {
      assertThrows(DataFormatException.class, () -> unpack(packed, floats));
    }
  }

  @Test
  void shouldRefuseWidthsThatNoFloatHas() {
    byte[] packed = pack(widths(64, 9));
    // The sum stays right, so that it is the width that is refused.
    packed[2] = 33;
    packed[3] = 0;
    packed[4] = 3;
    packed[5] = 0;
    DataFormatException thrown = assertThrows(DataFormatException.class, () -> unpack(packed, 64));
    assertTrue(thrown.getMessage().contains("33 bits"), thrown.getMessage());
    packed[2] = (byte) 0xFF;
    assertThrows(DataFormatException.class, () -> unpack(packed, 64));
  }

  @Test
  void shouldNeverTouchMoreThanItsRangesWhateverTheBytes() {
    int accepted = 0;
    for (int round = 0; round < 20_000; round++) {
      int floats = random.nextInt(200);
      byte[] bytes;
      if (round % 2 == 0) {
        int[] bits = mixedThatPack(floats + 64);
        bytes = pack(bits);
        floats = bits.length;
        for (int flips = random.nextInt(4); flips > 0; flips--) {
          bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
        }
      } else {
        bytes = new byte[random.nextInt(600)];
        random.nextBytes(bytes);
        for (int i = 0; i < Math.min(bytes.length, floats / 8 + 1); i++) {
          bytes[i] &= 31;
        }
      }
      try {
        unpack(bytes, floats); // checks the guards
        accepted++;
      } catch (DataFormatException expected) {
        assertTrue(expected.getMessage().contains("packed differences"), expected.getMessage());
      }
    }
    assertTrue(accepted > 1000 && accepted < 19_000, accepted + " were accepted");
  }

  @Test
  void shouldRefuseRangesOutsideOfTheirSegments() throws DataFormatException {
    MemorySegment plain = arena.allocate(4096);
    MemorySegment packed = arena.allocate(4096);
    assertThrows(IndexOutOfBoundsException.class, () -> packing.pack(plain, 100, 1000, packed, 0));
    assertThrows(IndexOutOfBoundsException.class, () -> packing.pack(plain, 0, 1024, packed, 500));
    assertThrows(IndexOutOfBoundsException.class, () -> packing.pack(plain, -4, 8, packed, 0));
    assertThrows(IndexOutOfBoundsException.class, () -> packing.pack(plain, 0, -8, packed, 0));
    int bytes = packing.pack(plain, 0, 1024, packed, 0);
    packing.unpack(packed, 0, bytes, plain, 0, 1024);
    assertThrows(
        IndexOutOfBoundsException.class, () -> packing.unpack(packed, 4000, bytes, plain, 0, 1024));
    assertThrows(
        IndexOutOfBoundsException.class, () -> packing.unpack(packed, 0, bytes, plain, 4, 1024));
    assertThrows(IndexOutOfBoundsException.class, () -> packing.unpack(packed, 0, -1, plain, 0, 8));
    MemorySegment onHeap = MemorySegment.ofArray(new byte[4096]);
    assertThrows(IllegalArgumentException.class, () -> packing.pack(onHeap, 0, 1024, packed, 0));
    Arena gone = Arena.ofConfined();
    MemorySegment closed = gone.allocate(4096);
    gone.close();
    assertThrows(IllegalStateException.class, () -> packing.pack(closed, 0, 1024, packed, 0));
  }

  @Test
  void shouldRefuseATargetThatCannotBeWritten() {
    MemorySegment source = arena.allocate(4096);
    MemorySegment target = arena.allocate(4096).asReadOnly();
    assertThrows(IllegalArgumentException.class, () -> packing.pack(source, 0, 1024, target, 0));
    assertThrows(
        IllegalArgumentException.class, () -> packing.unpack(source, 0, 128, target, 0, 1024));
  }

  /** The form as the class describes it, bit by bit. */
  private static byte[] reference(int[] bits) {
    int blocks = (bits.length + 7) / 8;
    byte[] packed = new byte[blocks * 33];
    int at = blocks;
    for (int block = 0; block < blocks; block++) {
      int[] eight = Arrays.copyOf(Arrays.copyOfRange(bits, 8 * block, bits.length), 8);
      int all = IntStream.of(eight).reduce(0, (a, b) -> a | b);
      int width = 32 - Integer.numberOfLeadingZeros(all);
      packed[block] = (byte) width;
      for (int i = 0; i < 8 * width; i++) {
        int bit = (eight[i / width] >>> (i % width)) & 1;
        packed[at + i / 8] |= (byte) (bit << (i % 8));
      }
      at += width;
    }
    return Arrays.copyOf(packed, at);
  }

  /** Blocks whose widths lie anywhere, mostly in the middle. */
  private int[] mixed(int floats) {
    int[] bits = new int[floats];
    int usual = random.nextInt(33);
    int spread = 1 + random.nextInt(33);
    for (int i = 0; i < floats; i++) {
      int width = Math.clamp(usual + random.nextInt(spread) - spread / 2, 0, 32);
      bits[i] = width == 0 ? 0 : random.nextInt() >>> (32 - width);
    }
    return bits;
  }

  private int[] mixedThatPack(int floats) {
    for (int tries = 0; tries < 1000; tries++) {
      int[] bits = mixed(floats);
      if (reference(bits).length <= DeltaPacking.maxPackedBytes(floats)) {
        return bits;
      }
    }
    throw new AssertionError("nothing packs");
  }

  /** Floats of which each block has exactly this width. */
  private int[] widths(int floats, int width) {
    int[] bits = new int[floats];
    for (int i = 0; i < floats && width > 0; i++) {
      bits[i] = random.nextInt() >>> (32 - width);
      if (i % 8 == 0) {
        bits[i] |= 1 << (width - 1);
      }
    }
    return bits;
  }

  /** Packs at odd places between guards; null if it does not pay. */
  private byte[] pack(int[] bits) {
    try (Arena mine = Arena.ofConfined()) {
      int limit = DeltaPacking.maxPackedBytes(bits.length);
      MemorySegment source = guarded(mine, 4L * bits.length);
      int from = MARGIN + random.nextInt(8);
      int to = MARGIN + random.nextInt(8);
      for (int i = 0; i < bits.length; i++) {
        source.set(INT, from + 4L * i, bits[i]);
      }
      MemorySegment target = guarded(mine, limit);
      packing = new DeltaPacking(random.nextBoolean());
      int bytes = packing.pack(source, from, bits.length, target, to);
      checkGuards(target, to, limit);
      return bytes < 0 ? null : target.asSlice(to, bytes).toArray(ValueLayout.JAVA_BYTE);
    }
  }

  private int[] unpack(byte[] packed, int floats) throws DataFormatException {
    try (Arena mine = Arena.ofConfined()) {
      // The source ends where its segment ends.
      MemorySegment source = mine.allocate(MARGIN + packed.length);
      MemorySegment.copy(packed, 0, source, ValueLayout.JAVA_BYTE, MARGIN, packed.length);
      MemorySegment target = guarded(mine, 4L * floats);
      int to = MARGIN + random.nextInt(8);
      packing = new DeltaPacking(random.nextBoolean());
      try {
        packing.unpack(source, MARGIN, packed.length, target, to, floats);
      } catch (DataFormatException e) {
        checkGuards(target, to, 0);
        throw e;
      }
      checkGuards(target, to, 4L * floats);
      int[] bits = new int[floats];
      for (int i = 0; i < floats; i++) {
        bits[i] = target.get(INT, to + 4L * i);
      }
      return bits;
    }
  }

  private static MemorySegment guarded(Arena arena, long bytes) {
    return arena.allocate(bytes + 2 * MARGIN + 8).fill(GUARD);
  }

  private static void checkGuards(MemorySegment segment, long from, long bytes) {
    for (long i = 0; i < segment.byteSize(); i++) {
      if (i < from || i >= from + bytes) {
        assertEquals(GUARD, segment.get(ValueLayout.JAVA_BYTE, i), "byte " + (i - from));
      }
    }
  }
}
