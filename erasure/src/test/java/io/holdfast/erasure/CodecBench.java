package io.holdfast.erasure;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;

/**
 * Prints the speed of the codes beside memory copy, on one thread.
 *
 * <p>Arguments: set sizes in bytes (default 512 KiB, which is in a second-level cache of 1 MiB, and
 * 8 MiB). A set is all units of a stripe together. Figures are data bytes (k units; for a fold the
 * difference; for a copy what is copied) in GB (10^9 bytes) per second of this thread's processor
 * time, so that neighbours on the machine disturb less: the median of {@value #ROUNDS} rounds, then
 * the slowest and the fastest. "rows of" means one call per row, out of one big segment.
 */
public final class CodecBench {

  private static final int ROUNDS = 15;
  private static final long ROUND_NANOS = 10_000_000;
  private static final long WARM_UP_NANOS = 400_000_000;

  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

  private CodecBench() {}

  private record Case(String name, long dataBytes, Runnable run) {}

  /** Prints the table. */
  public static void main(String[] arguments) {
    List<Long> setSizes = new ArrayList<>();
    for (String argument : arguments) {
      setSizes.add(Long.parseLong(argument));
    }
    if (setSizes.isEmpty()) {
      setSizes.addAll(List.of(512L << 10, 8L << 20));
    }
    System.out.println("kernels " + ErasureCodes.kernelsInUse() + ", data GB/s, one thread");
    for (long setBytes : setSizes) {
      System.out.printf(Locale.ROOT, "%nset of %d KiB%n", setBytes >> 10);
      try (Arena arena = Arena.ofConfined()) {
        for (Case benchCase : cases(arena, setBytes)) {
          print(benchCase);
        }
      }
    }
  }

  private static List<Case> cases(Arena arena, long setBytes) {
    List<Case> cases = new ArrayList<>();
    MemorySegment[] copy = units(arena, 2, setBytes / 2);
    cases.add(new Case("copy", copy[0].byteSize(), () -> copy[1].copyFrom(copy[0])));
    addCode(cases, arena, setBytes, CodeKind.XOR, 4, 1);
    addCode(cases, arena, setBytes, CodeKind.REED_SOLOMON, 4, 1);
    addCode(cases, arena, setBytes, CodeKind.REED_SOLOMON, 4, 2);
    addCode(cases, arena, setBytes, CodeKind.REED_SOLOMON, 10, 4);
    addCode(cases, arena, setBytes, CodeKind.FLOAT_SUM, 4, 1);
    return cases;
  }

  private static void addCode(
      List<Case> cases, Arena arena, long setBytes, CodeKind kind, int k, int r) {
    ErasureCode code = ErasureCodes.create(kind, k, r);
    MemorySegment[] units = units(arena, k + r, setBytes / (k + r) & -4096);
    MemorySegment[] data = slice(units, 0, k);
    MemorySegment[] parity = slice(units, k, r);
    long length = data[0].byteSize();
    cases.add(new Case(code + " encode", k * length, () -> code.encode(data, parity)));

    int[] erased = new int[r]; // The worst pattern: data units only.
    for (int i = 0; i < r; i++) {
      erased[i] = i;
    }
    Decoder decoder = code.decoder(erased);
    int[] sourceUnits = decoder.sources();
    MemorySegment[] sources = new MemorySegment[k];
    for (int i = 0; i < k; i++) {
      sources[i] = units[sourceUnits[i]];
    }
    MemorySegment[] targets = slice(units, 0, r);
    cases.add(
        new Case(
            code + " decode " + r + " data", k * length, () -> decoder.decode(sources, targets)));

    // A fold's set is two units, so these are as large as all the code's units together.
    MemorySegment[] fold = units(arena, 2, setBytes / 2 & -4096);
    long foldLength = fold[0].byteSize();
    for (int p = 0; p < Math.min(r, 2); p++) {
      int parityIndex = p;
      for (long rowBytes : p == r - 1 ? new long[] {foldLength, 4096, 512, 64} : new long[0]) {
        cases.add(
            new Case(
                "%s fold, parity %d, rows of %d B".formatted(code, p, rowBytes),
                foldLength,
                () -> {
                  for (long at = 0; at < foldLength; at += rowBytes) {
                    code.foldDifference(1, parityIndex, fold[0], at, fold[1], at, rowBytes);
                  }
                }));
      }
    }
    long[] offsets = new long[k];
    long[] parityOffsets = new long[r];
    for (long rowBytes : r <= 2 ? new long[] {4096, 512, 64} : new long[0]) {
      cases.add(
          new Case(
              "%s encode, rows of %d B".formatted(code, rowBytes),
              k * length,
              () -> {
                for (long at = 0; at < length; at += rowBytes) {
                  Arrays.fill(offsets, at);
                  Arrays.fill(parityOffsets, at);
                  code.encode(data, offsets, parity, parityOffsets, rowBytes);
                }
              }));
    }
  }

  /** Random units; each starts at another offset within its page, as rows of real tables do. */
  private static MemorySegment[] units(Arena arena, int count, long lengthBytes) {
    Random random = new Random(7);
    MemorySegment[] units = new MemorySegment[count];
    for (int i = 0; i < count; i++) {
      MemorySegment memory = arena.allocate(lengthBytes + 4096, 4096);
      units[i] = memory.asSlice(i * 320L % 4096, lengthBytes);
      for (long at = 0; at < lengthBytes; at += 8) {
        // Finite floats, so that the sum is not slowed by or made of NaNs.
        units[i].set(ValueLayout.JAVA_FLOAT_UNALIGNED, at, random.nextFloat());
        units[i].set(ValueLayout.JAVA_FLOAT_UNALIGNED, at + 4, random.nextFloat());
      }
    }
    return units;
  }

  private static MemorySegment[] slice(MemorySegment[] units, int from, int count) {
    return Arrays.copyOfRange(units, from, from + count);
  }

  private static void print(Case benchCase) {
    for (long start = THREADS.getCurrentThreadCpuTime();
        THREADS.getCurrentThreadCpuTime() - start < WARM_UP_NANOS; ) {
      round(benchCase);
    }
    double[] rates = new double[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
      rates[i] = round(benchCase);
    }
    Arrays.sort(rates);
    System.out.printf(
        Locale.ROOT,
        "  %-42s %7.1f  (%.1f .. %.1f)%n",
        benchCase.name(),
        rates[ROUNDS / 2],
        rates[0],
        rates[ROUNDS - 1]);
  }

  /** Bytes per nanosecond, which is GB/s. */
  private static double round(Case benchCase) {
    long start = THREADS.getCurrentThreadCpuTime();
    long runs = 0;
    long elapsed;
    do {
      for (int i = 0; i < 4; i++) {
        benchCase.run().run();
      }
      runs += 4;
      elapsed = THREADS.getCurrentThreadCpuTime() - start;
    } while (elapsed < ROUND_NANOS);
    return (double) runs * benchCase.dataBytes() / elapsed;
  }
}
