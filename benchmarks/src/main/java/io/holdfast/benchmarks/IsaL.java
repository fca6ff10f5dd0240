package io.holdfast.benchmarks;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/**
 * Intel's ISA-L (Debian: libisal2) through the foreign-function API, to be measured beside our own
 * loops. Field and layout are the same, so with our coefficients it makes the same bytes.
 */
final class IsaL {
  private static final String LIBRARY = "libisal.so.2";
  private static final int TABLE_BYTES = 32;
  private static final Optional<SymbolLookup> SYMBOLS = load();

  private static final MethodHandle INIT_TABLES =
      handle("ec_init_tables", FunctionDescriptor.ofVoid(JAVA_INT, JAVA_INT, ADDRESS, ADDRESS));
  private static final MethodHandle ENCODE =
      handle(
          "ec_encode_data",
          FunctionDescriptor.ofVoid(JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS, ADDRESS, ADDRESS));
  private static final MethodHandle UPDATE =
      handle(
          "ec_encode_data_update",
          FunctionDescriptor.ofVoid(
              JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS, ADDRESS, ADDRESS));
  private static final MethodHandle XOR =
      handle("xor_gen", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS));

  private IsaL() {}

  @SuppressWarnings("restricted")
  private static Optional<SymbolLookup> load() {
    try {
      return Optional.of(SymbolLookup.libraryLookup(LIBRARY, Arena.global()));
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  @SuppressWarnings("restricted")
  private static MethodHandle handle(String name, FunctionDescriptor type) {
    return SYMBOLS
        .flatMap(symbols -> symbols.find(name))
        .map(address -> Linker.nativeLinker().downcallHandle(address, type))
        .orElse(null);
  }

  /** Whether this host has it. */
  static boolean isInstalled() {
    return INIT_TABLES != null && ENCODE != null && UPDATE != null && XOR != null;
  }

  /** A matrix over GF(2^8), prepared for {@link #apply}. */
  static final class Matrix {
    private final int sources;
    private final int targets;
    private final MemorySegment tables;

    /**
     * Prepares a matrix.
     *
     * @param coefficients {@code [targets][sources]}
     */
    Matrix(Arena arena, int[][] coefficients) {
      targets = coefficients.length;
      sources = coefficients[0].length;
      tables = arena.allocate((long) TABLE_BYTES * sources * targets, 64);
      MemorySegment flat = arena.allocate((long) sources * targets);
      for (int target = 0; target < targets; target++) {
        for (int source = 0; source < sources; source++) {
          flat.set(
              ValueLayout.JAVA_BYTE,
              (long) target * sources + source,
              (byte) coefficients[target][source]);
        }
      }
      call(
          () -> {
            INIT_TABLES.invokeExact(sources, targets, flat, tables);
          });
    }

    /** All targets from all sources; both are arrays of addresses. */
    void apply(int length, MemorySegment from, MemorySegment to) {
      call(
          () -> {
            ENCODE.invokeExact(length, sources, targets, tables, from, to);
          });
    }

    /** Adds what one source contributes to all targets. */
    void update(int length, int source, MemorySegment from, MemorySegment to) {
      call(
          () -> {
            UPDATE.invokeExact(length, sources, targets, source, tables, from, to);
          });
    }
  }

  /** The last of the addresses gets the XOR of all others. */
  static void xor(int count, int length, MemorySegment addresses) {
    call(
        () -> {
          int failed = (int) XOR.invokeExact(count, length, addresses);
          if (failed != 0) {
            throw new IllegalStateException("xor_gen failed: addresses must be aligned to 32");
          }
        });
  }

  private interface Call {
    void run() throws Throwable;
  }

  private static void call(Call call) {
    try {
      call.run();
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException("a call of " + LIBRARY + " failed", e);
    }
  }
}
