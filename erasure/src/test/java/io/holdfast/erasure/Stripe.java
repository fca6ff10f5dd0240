package io.holdfast.erasure;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Random;

/** The k + r units of one stripe in a test, native, each at its own unaligned place. */
final class Stripe {

  final ErasureCode code;
  final int lengthBytes;
  final MemorySegment[] units;

  Stripe(ErasureCode code, Arena arena, int lengthBytes, Random random) {
    this.code = code;
    this.lengthBytes = lengthBytes;
    this.units = new MemorySegment[code.dataUnits() + code.parityUnits()];
    for (int i = 0; i < units.length; i++) {
      long offset = random.nextInt(64);
      units[i] = arena.allocate(offset + lengthBytes).asSlice(offset, lengthBytes);
      byte[] bytes = new byte[lengthBytes];
      random.nextBytes(bytes);
      units[i].copyFrom(MemorySegment.ofArray(bytes));
    }
  }

  MemorySegment[] data() {
    return Arrays.copyOf(units, code.dataUnits());
  }

  MemorySegment[] parity() {
    return Arrays.copyOfRange(units, code.dataUnits(), units.length);
  }

  Stripe encode() {
    code.encode(data(), parity());
    return this;
  }

  byte[][] bytes() {
    return Arrays.stream(units).map(unit -> unit.toArray(JAVA_BYTE)).toArray(byte[][]::new);
  }

  MemorySegment[] select(int... indices) {
    return Arrays.stream(indices).mapToObj(i -> units[i]).toArray(MemorySegment[]::new);
  }

  /** Decodes the erased units from the others into fresh memory and compares. */
  void assertDecodes(Arena arena, int... erased) {
    Decoder decoder = code.decoder(erased);
    MemorySegment[] targets = new MemorySegment[erased.length];
    for (int i = 0; i < targets.length; i++) {
      targets[i] = arena.allocate(lengthBytes).fill((byte) 0xA5);
    }
    decoder.decode(select(decoder.sources()), targets);
    int[] targetUnits = decoder.targets();
    for (int i = 0; i < targets.length; i++) {
      int unit = targetUnits[i];
      assertArrayEquals(
          units[unit].toArray(JAVA_BYTE),
          targets[i].toArray(JAVA_BYTE),
          () -> "%s, erased %s, unit %d".formatted(code, Arrays.toString(erased), unit));
    }
  }
}
