package io.holdfast.server.storage;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Zeroed off-heap memory of any size. On Linux it is an anonymous mapping without reservation: the
 * kernel commits a page when it is first written, so memory of rows that nobody updates costs
 * nothing. Elsewhere all of it is committed at once. Access is checked: out of bounds and after
 * {@link #close} throw.
 */
public final class MappedMemory implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(MappedMemory.class);
  private static final long SMALL_PAGE_BYTES = 4096;
  private static final long HUGE_PAGE_BYTES = 2 << 20;

  private final Arena arena;
  private final MemorySegment segment;
  private final long pageBytes;

  /** One bit for each page that was written. */
  private final long[] touched;

  private long touchedPages;

  private MappedMemory(Arena arena, MemorySegment segment, boolean hugePages) {
    this.arena = arena;
    this.segment = segment;
    this.pageBytes = hugePages ? HUGE_PAGE_BYTES : SMALL_PAGE_BYTES;
    this.touched =
        new long[Math.toIntExact((segment.byteSize() + 64 * pageBytes - 1) / (64 * pageBytes))];
  }

  /**
   * Takes memory.
   *
   * @param purpose what it is for, named if there is not enough
   * @throws IllegalStateException if the host does not give it; says how much was asked, what the
   *     host has and what to do
   */
  public static MappedMemory zeroed(String purpose, long bytes, MemorySettings settings) {
    if (bytes < 1) {
      throw new IllegalArgumentException(bytes + " bytes for " + purpose);
    }
    Arena arena = Arena.ofShared();
    try {
      MemorySegment segment =
          Linux.AVAILABLE
              ? Linux.map(purpose, bytes, settings.hugePages(), arena)
              : arena.allocate(bytes, 64);
      return new MappedMemory(arena, segment, settings.hugePages());
    } catch (RuntimeException e) {
      arena.close();
      throw e;
    } catch (OutOfMemoryError e) {
      arena.close();
      throw new IllegalStateException(tooLittle(purpose, bytes, e.getMessage()), e);
    }
  }

  /** All of the memory. */
  public MemorySegment segment() {
    return segment;
  }

  /** Notes that a piece is written, for {@link #touchedBytes}. */
  public void touch(long offsetBytes, long lengthBytes) {
    long last = (offsetBytes + lengthBytes - 1) / pageBytes;
    for (long page = offsetBytes / pageBytes; page <= last; page++) {
      long bit = 1L << page;
      int word = (int) (page >>> 6);
      if ((touched[word] & bit) == 0) {
        touched[word] |= bit;
        touchedPages++;
      }
    }
  }

  /** Memory that was written, in whole pages: what the kernel has committed. */
  public long touchedBytes() {
    return touchedPages * pageBytes;
  }

  /** Gives the memory back. Nobody may be using it. */
  @Override
  public void close() {
    arena.close();
  }

  private static String tooLittle(String purpose, long bytes, String why) {
    return "cannot take "
        + gib(bytes)
        + " of memory for "
        + purpose
        + ": "
        + why
        + ". The host has "
        + hostMemory()
        + ". Use more servers or hosts, smaller tables (max rows per table, tables.scale), a"
        + " smaller dim, or an optimizer with less state; or give this process more address space"
        + " (ulimit -v, container limits, vm.overcommit_memory, vm.max_map_count)";
  }

  private static String gib(long bytes) {
    return String.format(java.util.Locale.ROOT, "%.2f GiB (%d bytes)", bytes / 0x1p30, bytes);
  }

  private static String hostMemory() {
    try {
      StringBuilder text = new StringBuilder();
      for (String line : Files.readAllLines(Path.of("/proc/meminfo"))) {
        if (line.startsWith("MemTotal:") || line.startsWith("MemAvailable:")) {
          String[] words = line.split("\\s+", -1);
          text.append(text.isEmpty() ? "" : ", ")
              .append(gib(Long.parseLong(words[1]) * 1024))
              .append(line.startsWith("MemTotal:") ? " in total" : " available");
        }
      }
      return text.toString();
    } catch (IOException | NumberFormatException e) {
      return "an unknown amount";
    }
  }

  /** mmap, madvise and munmap of Linux. */
  @SuppressWarnings("restricted")
  private static final class Linux {
    static final boolean AVAILABLE = System.getProperty("os.name").startsWith("Linux");

    private static final int PROT_READ_WRITE = 1 | 2;
    private static final int MAP_PRIVATE = 0x02;
    private static final int MAP_ANONYMOUS = 0x20;
    private static final int MAP_NORESERVE = 0x4000;
    private static final int MADV_HUGEPAGE = 14;
    private static final int MADV_NOHUGEPAGE = 15;

    private static final StructLayout STATE = Linker.Option.captureStateLayout();
    private static final VarHandle ERRNO =
        STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));
    private static final MethodHandle MMAP =
        handle(
            "mmap",
            FunctionDescriptor.of(
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_LONG));
    private static final MethodHandle MADVISE =
        handle(
            "madvise",
            FunctionDescriptor.of(
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_INT));
    private static final MethodHandle MUNMAP =
        handle(
            "munmap",
            FunctionDescriptor.of(
                ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));

    private static MethodHandle handle(String name, FunctionDescriptor type) {
      Linker linker = Linker.nativeLinker();
      return linker.downcallHandle(
          linker.defaultLookup().findOrThrow(name), type, Linker.Option.captureCallState("errno"));
    }

    static MemorySegment map(String purpose, long bytes, boolean hugePages, Arena arena) {
      try (Arena call = Arena.ofConfined()) {
        MemorySegment state = call.allocate(STATE);
        int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
        long address = (long) MMAP.invokeExact(state, 0L, bytes, PROT_READ_WRITE, flags, -1, 0L);
        if (address == -1) {
          throw new IllegalStateException(
              tooLittle(purpose, bytes, "mmap failed with errno " + (int) ERRNO.get(state, 0L)));
        }
        MemorySegment memory =
            MemorySegment.ofAddress(address)
                .reinterpret(bytes, arena, mapping -> unmap(mapping.address(), bytes));
        // Said explicitly either way, so that the host's default does not decide what a touched
        // row costs.
        int advice = hugePages ? MADV_HUGEPAGE : MADV_NOHUGEPAGE;
        int advised = (int) MADVISE.invokeExact(state, address, bytes, advice);
        if (advised != 0 && hugePages) {
          LOG.warn(
              "No huge pages for {}: madvise failed with errno {}",
              purpose,
              (int) ERRNO.get(state, 0L));
        }
        return memory;
      } catch (RuntimeException | Error e) {
        throw e;
      } catch (Throwable e) {
        throw new AssertionError(e);
      }
    }

    private static void unmap(long address, long bytes) {
      try (Arena call = Arena.ofConfined()) {
        int result = (int) MUNMAP.invokeExact(call.allocate(STATE), address, bytes);
        if (result != 0) {
          LOG.warn("munmap of {} failed", gib(bytes));
        }
      } catch (Throwable e) {
        throw new AssertionError(e);
      }
    }
  }
}
