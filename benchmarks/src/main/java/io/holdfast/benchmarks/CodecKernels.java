package io.holdfast.benchmarks;

import io.holdfast.erasure.CodeKind;
import io.holdfast.erasure.Decoder;
import io.holdfast.erasure.ErasureCode;
import io.holdfast.erasure.ErasureCodes;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * The erasure codes on one thread, run by JMH; {@link CodecBench} asks for it and turns operations
 * into bytes. Public because JMH generates classes beside it.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
public class CodecKernels {
  /** Each unit starts at another line within its page, as rows of real tables do. */
  private static final long STAGGER_BYTES = 320;

  private static final long PAGE_BYTES = 4096;

  @Param("rs(4,2)")
  public String code;

  @Param("encode")
  public String operation;

  @Param("524288")
  public long setBytes;

  private Arena arena;
  private Runnable ours;
  private Runnable theirs;
  private MemorySegment copyFrom;
  private MemorySegment copyTo;

  /** Public for JMH. */
  public CodecKernels() {}

  static ErasureCode codeOf(String name) {
    String[] parts = name.split("[(,)]", -1);
    return ErasureCodes.create(
        CodeKind.ofSettingName(parts[0]), Integer.parseInt(parts[1]), Integer.parseInt(parts[2]));
  }

  /** Units that an operation reads or writes. */
  private static int units(ErasureCode code, String operation) {
    return operation.equals("update")
        ? 1 + code.parityUnits()
        : code.dataUnits() + code.parityUnits();
  }

  private static long unitBytes(ErasureCode code, String operation, long setBytes) {
    return setBytes / units(code, operation) & -64L;
  }

  /** Data bytes of one operation: k units, or the difference of an update. */
  static long dataBytes(String codeName, String operation, long setBytes) {
    ErasureCode code = codeOf(codeName);
    return unitBytes(code, operation, setBytes)
        * (operation.equals("update") ? 1 : code.dataUnits());
  }

  /** Bytes that one copy moves. */
  static long copyBytes(long setBytes) {
    return setBytes / 2;
  }

  /** Allocates and fills. */
  @Setup(Level.Trial)
  public void prepare() {
    arena = Arena.ofShared();
    if (operation.equals("copy")) {
      MemorySegment[] both = allocate(2, copyBytes(setBytes));
      copyFrom = both[0];
      copyTo = both[1];
      return;
    }
    ErasureCode made = codeOf(code);
    MemorySegment[] units = allocate(units(made, operation), unitBytes(made, operation, setBytes));
    switch (operation) {
      case "encode" -> prepareEncode(made, units);
      case "decode" -> prepareDecode(made, units);
      case "update" -> prepareUpdate(made, units);
      default -> throw new IllegalArgumentException(operation);
    }
  }

  private MemorySegment[] allocate(int count, long bytes) {
    MemorySegment[] units = new MemorySegment[count];
    MemorySegment pattern = arena.allocate(1 << 20, 64);
    SplittableRandom random = new SplittableRandom(7);
    for (long at = 0; at < pattern.byteSize(); at += Long.BYTES) {
      pattern.set(ValueLayout.JAVA_LONG, at, random.nextLong());
    }
    for (int i = 0; i < count; i++) {
      long start = i * STAGGER_BYTES % PAGE_BYTES;
      units[i] = arena.allocate(bytes + PAGE_BYTES, PAGE_BYTES).asSlice(start, bytes);
      for (long at = 0; at < bytes; at += pattern.byteSize() - start) {
        long length = Math.min(bytes - at, pattern.byteSize() - start);
        MemorySegment.copy(pattern, start, units[i], at, length);
      }
    }
    return units;
  }

  private void prepareEncode(ErasureCode made, MemorySegment[] units) {
    MemorySegment[] data = Arrays.copyOfRange(units, 0, made.dataUnits());
    MemorySegment[] parity = Arrays.copyOfRange(units, made.dataUnits(), units.length);
    ours = () -> made.encode(data, parity);
    if (IsaL.isInstalled()) {
      theirs = theirs(made, encoderMatrix(made), data, parity);
      requireSameBytes(parity);
    }
  }

  private void prepareDecode(ErasureCode made, MemorySegment[] units) {
    int[] erased = new int[made.parityUnits()]; // The worst pattern: data units only.
    Arrays.setAll(erased, i -> i);
    Decoder decoder = made.decoder(erased);
    int[] from = decoder.sources();
    MemorySegment[] sources = new MemorySegment[from.length];
    Arrays.setAll(sources, i -> units[from[i]]);
    MemorySegment[] targets = Arrays.copyOfRange(units, 0, erased.length);
    ours = () -> decoder.decode(sources, targets);
    if (IsaL.isInstalled()) {
      theirs = theirs(made, decoderMatrix(decoder), sources, targets);
      requireSameBytes(targets);
    }
  }

  private void prepareUpdate(ErasureCode made, MemorySegment[] units) {
    MemorySegment difference = units[0];
    MemorySegment[] parity = Arrays.copyOfRange(units, 1, units.length);
    long length = difference.byteSize();
    int changed = made.dataUnits() - 1;
    ours =
        () -> {
          for (int p = 0; p < parity.length; p++) {
            made.foldDifference(changed, p, difference, 0, parity[p], 0, length);
          }
        };
    if (IsaL.isInstalled()) {
      int bytes = Math.toIntExact(length);
      if (made.kind() == CodeKind.XOR) {
        MemorySegment addresses = addresses(parity[0], difference, parity[0]);
        theirs = () -> IsaL.xor(3, bytes, addresses);
      } else {
        IsaL.Matrix matrix = new IsaL.Matrix(arena, encoderMatrix(made));
        MemorySegment to = addresses(parity);
        theirs = () -> matrix.update(bytes, changed, difference, to);
      }
      // One folds in what the other folds out.
      byte[][] before = new byte[parity.length][];
      Arrays.setAll(before, i -> head(parity[i]));
      ours.run();
      theirs.run();
      for (int i = 0; i < parity.length; i++) {
        requireEqual(before[i], head(parity[i]));
      }
    }
  }

  private Runnable theirs(
      ErasureCode made, int[][] coefficients, MemorySegment[] sources, MemorySegment[] targets) {
    int bytes = Math.toIntExact(sources[0].byteSize());
    if (made.kind() == CodeKind.XOR) {
      MemorySegment[] all = Arrays.copyOf(sources, sources.length + 1);
      all[sources.length] = targets[0];
      MemorySegment addresses = addresses(all);
      return () -> IsaL.xor(all.length, bytes, addresses);
    }
    IsaL.Matrix matrix = new IsaL.Matrix(arena, coefficients);
    MemorySegment from = addresses(sources);
    MemorySegment to = addresses(targets);
    return () -> matrix.apply(bytes, from, to);
  }

  private MemorySegment addresses(MemorySegment... segments) {
    MemorySegment addresses = arena.allocate(ValueLayout.ADDRESS, segments.length);
    for (int i = 0; i < segments.length; i++) {
      addresses.setAtIndex(ValueLayout.ADDRESS, i, segments[i]);
    }
    return addresses;
  }

  /** How parities depend on data: encodes ones. */
  private static int[][] encoderMatrix(ErasureCode made) {
    int[][] matrix = new int[made.parityUnits()][made.dataUnits()];
    for (int i = 0; i < made.dataUnits(); i++) {
      MemorySegment[] data = bytes(made.dataUnits());
      MemorySegment[] parity = bytes(made.parityUnits());
      data[i].set(ValueLayout.JAVA_BYTE, 0, (byte) 1);
      made.encode(data, parity);
      for (int p = 0; p < parity.length; p++) {
        matrix[p][i] = parity[p].get(ValueLayout.JAVA_BYTE, 0) & 0xFF;
      }
    }
    return matrix;
  }

  /** How targets depend on sources: decodes ones. */
  private static int[][] decoderMatrix(Decoder decoder) {
    int sources = decoder.sources().length;
    int[][] matrix = new int[decoder.targets().length][sources];
    for (int i = 0; i < sources; i++) {
      MemorySegment[] from = bytes(sources);
      MemorySegment[] to = bytes(matrix.length);
      from[i].set(ValueLayout.JAVA_BYTE, 0, (byte) 1);
      decoder.decode(from, to);
      for (int t = 0; t < to.length; t++) {
        matrix[t][i] = to[t].get(ValueLayout.JAVA_BYTE, 0) & 0xFF;
      }
    }
    return matrix;
  }

  private static MemorySegment[] bytes(int count) {
    MemorySegment[] units = new MemorySegment[count];
    Arrays.setAll(units, i -> MemorySegment.ofArray(new byte[1]));
    return units;
  }

  private void requireSameBytes(MemorySegment[] targets) {
    ours.run();
    byte[][] made = new byte[targets.length][];
    Arrays.setAll(made, i -> head(targets[i]));
    theirs.run();
    for (int i = 0; i < targets.length; i++) {
      requireEqual(made[i], head(targets[i]));
    }
  }

  private static byte[] head(MemorySegment segment) {
    return segment.asSlice(0, Math.min(1 << 16, segment.byteSize())).toArray(ValueLayout.JAVA_BYTE);
  }

  private void requireEqual(byte[] own, byte[] other) {
    if (!Arrays.equals(own, other)) {
      throw new IllegalStateException(code + " " + operation + ": ISA-L makes other bytes");
    }
  }

  /** Gives the memory back. */
  @TearDown(Level.Trial)
  public void release() {
    arena.close();
  }

  /** Our loops. */
  @Benchmark
  public void holdfast() {
    ours.run();
  }

  /** ISA-L's. */
  @Benchmark
  public void isal() {
    theirs.run();
  }

  /** Memory copy. */
  @Benchmark
  public void copy() {
    copyTo.copyFrom(copyFrom);
  }
}
