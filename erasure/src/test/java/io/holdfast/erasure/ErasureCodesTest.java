package io.holdfast.erasure;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

final class ErasureCodesTest {

  @Test
  void shouldNameWhatIsWrongWithAShape() {
    assertRefused("code xor with k=4, r=2: it has exactly one parity", CodeKind.XOR, 4, 2);
    assertRefused("code sum with k=4, r=2: it has exactly one parity", CodeKind.FLOAT_SUM, 4, 2);
    assertRefused("code rs with k=0, r=2: k and r must be at least 1", CodeKind.REED_SOLOMON, 0, 2);
    assertRefused("code rs with k=2, r=0: k and r must be at least 1", CodeKind.REED_SOLOMON, 2, 0);
    assertRefused("k + r must be at most 256", CodeKind.REED_SOLOMON, 250, 7);
    assertRefused("k + r must be at most 256", CodeKind.REED_SOLOMON, Integer.MAX_VALUE, 7);
  }

  private static void assertRefused(String message, CodeKind kind, int k, int r) {
    assertMessage(
        message,
        assertThrows(IllegalArgumentException.class, () -> ErasureCodes.create(kind, k, r)));
  }

  private static void assertMessage(String part, Exception e) {
    if (!e.getMessage().contains(part)) {
      assertEquals(part, e.getMessage(), "the message should contain this");
    }
  }

  @Test
  void shouldFindKindsByTheirSettingNames() {
    for (CodeKind kind : CodeKind.values()) {
      assertEquals(kind, CodeKind.ofSettingName(kind.settingName()));
    }
    assertMessage(
        "unknown code 'raid'; known codes are xor, rs, sum",
        assertThrows(IllegalArgumentException.class, () -> CodeKind.ofSettingName("raid")));
  }

  @Test
  void shouldRefuseErasurePatternsThatCannotBeRepaired() {
    ErasureCode code = ErasureCodes.create(CodeKind.REED_SOLOMON, 4, 2);
    assertMessage(
        "3 units are erased ([0, 1, 2]); code rs(4,2) repairs 1 to 2",
        assertThrows(IllegalArgumentException.class, () -> code.decoder(0, 1, 2)));
    assertThrows(IllegalArgumentException.class, code::decoder);
    assertMessage(
        "unit 1 is named twice",
        assertThrows(IllegalArgumentException.class, () -> code.decoder(1, 1)));
    assertMessage(
        "unit of code rs(4,2) 6 does not exist",
        assertThrows(IllegalArgumentException.class, () -> code.decoder(6)));
    assertThrows(IllegalArgumentException.class, () -> code.decoder(-1));
  }

  @Test
  void shouldRefuseBadRangesBeforeWritingAnything() {
    for (CodeKind kind : CodeKind.values()) {
      ErasureCode code = ErasureCodes.create(kind, 2, 1);
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment a = arena.allocate(256).fill((byte) 1);
        MemorySegment b = arena.allocate(256).fill((byte) 2);
        MemorySegment parity = arena.allocate(256);
        MemorySegment[] data = {a, b};
        MemorySegment[] parities = {parity};
        Class<IndexOutOfBoundsException> outOfBounds = IndexOutOfBoundsException.class;
        Class<IllegalArgumentException> illegal = IllegalArgumentException.class;

        assertMessage(
            "data: offset 4 and length 256 do not fit into a segment of 256 bytes",
            assertThrows(
                outOfBounds,
                () -> code.encode(data, new long[] {0, 4}, parities, new long[1], 256)));
        assertThrows(
            outOfBounds, () -> code.encode(data, new long[] {0, -4}, parities, new long[1], 16));
        assertThrows(
            outOfBounds,
            () -> code.encode(data, new long[] {0, Long.MAX_VALUE}, parities, new long[1], 16));
        assertThrows(illegal, () -> code.encode(data, new long[2], parities, new long[1], -4));
        assertThrows(illegal, () -> code.encode(data, new long[1], parities, new long[1], 16));
        assertThrows(illegal, () -> code.encode(new MemorySegment[] {a}, parities));
        assertThrows(illegal, () -> code.encode(data, new MemorySegment[] {parity.asReadOnly()}));
        assertThrows(
            illegal, () -> code.encode(data, new MemorySegment[] {parity.asSlice(0, 128)}));
        assertThrows(outOfBounds, () -> code.foldDifference(0, 0, a, 0, parity, 4, 256));
        assertThrows(outOfBounds, () -> code.foldDifference(0, 0, a, 4, parity, 0, 256));
        assertMessage(
            "data unit 2 does not exist; they are 0 to 1",
            assertThrows(illegal, () -> code.foldDifference(2, 0, a, 0, parity, 0, 256)));
        assertThrows(illegal, () -> code.foldDifference(0, 1, a, 0, parity, 0, 256));
        assertThrows(illegal, () -> code.foldDifference(0, 0, a, 0, parity.asReadOnly(), 0, 256));
        assertThrows(outOfBounds, () -> code.difference(a, 0, b, 0, parity, 200, 64));
        assertThrows(outOfBounds, () -> code.applyDifference(a, 200, parity, 0, 64));
        Decoder decoder = code.decoder(0);
        assertThrows(
            outOfBounds, () -> decoder.decode(data, new long[2], parities, new long[] {1}, 256));
        assertThrows(
            illegal, () -> decoder.decode(parities, new long[1], parities, new long[1], 256));
        assertThrows(illegal, () -> decoder.foldSource(2, 0, a, 0, parity, 0, 256));
        assertThrows(illegal, () -> decoder.foldSource(0, 1, a, 0, parity, 0, 256));
        assertThrows(outOfBounds, () -> decoder.foldSource(0, 0, a, 8, parity, 0, 256));
        assertArrayEquals(new byte[256], parity.toArray(ValueLayout.JAVA_BYTE));
      }
    }
  }

  @Test
  void shouldRefusePartsOfFloats() {
    ErasureCode code = ErasureCodes.create(CodeKind.FLOAT_SUM, 2, 1);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment a = arena.allocate(64);
      MemorySegment b = arena.allocate(64);
      assertMessage(
          "length is 63 bytes; it must be a multiple of 4",
          assertThrows(
              IllegalArgumentException.class, () -> code.foldDifference(0, 0, a, 0, b, 0, 63)));
    }
  }

  @Test
  void shouldRefuseClosedArenas() {
    ErasureCode code = ErasureCodes.create(CodeKind.XOR, 2, 1);
    MemorySegment closed;
    try (Arena arena = Arena.ofConfined()) {
      closed = arena.allocate(64);
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment open = arena.allocate(64);
      assertThrows(
          IllegalStateException.class, () -> code.foldDifference(0, 0, closed, 0, open, 0, 64));
      assertThrows(
          IllegalStateException.class, () -> code.foldDifference(0, 0, open, 0, closed, 0, 64));
    }
  }

  @Test
  void shouldAcceptEmptyRanges() {
    ErasureCode code = ErasureCodes.create(CodeKind.REED_SOLOMON, 3, 2);
    MemorySegment[] data = {MemorySegment.NULL, MemorySegment.NULL, MemorySegment.NULL};
    MemorySegment[] parity = {MemorySegment.NULL, MemorySegment.NULL};
    code.encode(data, parity);
    code.foldDifference(0, 0, data[0], 0, parity[0], 0, 0);
  }
}
