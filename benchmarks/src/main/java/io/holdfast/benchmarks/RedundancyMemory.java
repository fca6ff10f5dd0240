package io.holdfast.benchmarks;

import io.holdfast.config.job.JobSpec;
import io.holdfast.config.model.ParameterInit;
import io.holdfast.config.placement.StripeMap;
import io.holdfast.config.settings.SettingOverride;
import io.holdfast.config.settings.Settings;
import io.holdfast.erasure.CodeKind;
import io.holdfast.erasure.ErasureCode;
import io.holdfast.erasure.ErasureCodes;
import io.holdfast.server.storage.MemorySettings;
import io.holdfast.server.storage.ParityStore;
import io.holdfast.server.storage.RefusedException;
import io.holdfast.server.storage.RowStore;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/**
 * Memory that redundancy takes once every row was updated: the process' resident memory, as the
 * kernel tells it, with the rows of 5 servers and then with their parities too. Every row is
 * updated once, and its difference folded into its parities, by the servers' own stores.
 *
 * <p>Arguments: preset, most rows of a table, optimizer.
 */
public final class RedundancyMemory {
  private static final int SERVERS = 5;
  private static final int BATCH = 4096;
  private static final ValueLayout.OfLong ID = ValueLayout.JAVA_LONG_UNALIGNED;
  private static final Code[] CODES = {
    new Code(CodeKind.XOR, 4, 1),
    new Code(CodeKind.XOR, 2, 1),
    new Code(CodeKind.XOR, 1, 1),
    new Code(CodeKind.REED_SOLOMON, 3, 2)
  };

  private record Code(CodeKind kind, int k, int r) {}

  private RedundancyMemory() {}

  public static void main(String[] arguments) throws IOException, RefusedException {
    if (arguments.length != 3) {
      throw new IllegalArgumentException("arguments: PRESET MOST-ROWS-OF-A-TABLE OPTIMIZER");
    }
    JobSpec job =
        Settings.load(
                List.of(),
                List.of(
                    SettingOverride.ofAssignment("model.preset=" + arguments[0]),
                    SettingOverride.ofAssignment("max.rows.per.table=" + arguments[1]),
                    SettingOverride.ofAssignment("optimizer.name=" + arguments[2])))
            .jobSpec(List.of("none"), 1);
    System.out.printf(
        Locale.ROOT,
        "%s, %s, %,d rows of %d bytes, %d servers%n%n",
        arguments[0],
        arguments[2],
        job.model().totalRows(),
        job.rowLayout().strideBytes(),
        SERVERS);
    System.out.println("| code | rows, MB | with parities, MB | overhead | r / k | above r / k |");
    System.out.println("|---|---|---|---|---|---|");
    resident(job, CODES[0], true); // What the compiler takes, it takes now.
    for (Code code : CODES) {
      long rows = resident(job, code, false);
      long all = resident(job, code, true);
      double overhead = (double) all / rows - 1;
      double ideal = (double) code.r() / code.k();
      System.out.printf(
          Locale.ROOT,
          "| %s k = %d, r = %d | %,.1f | %,.1f | %.2f %% | %.2f %% | %.2f %% |%n",
          code.kind(),
          code.k(),
          code.r(),
          rows / 1e6,
          all / 1e6,
          100 * overhead,
          100 * ideal,
          100 * (overhead - ideal));
    }
  }

  /** By how much the process grows, in bytes, when all rows are updated once. */
  private static long resident(JobSpec job, Code code, boolean redundant)
      throws IOException, RefusedException {
    StripeMap map = StripeMap.of(SERVERS, code.k(), code.r(), job.model().totalRows());
    ErasureCode erasure = ErasureCodes.create(code.kind(), code.k(), code.r());
    RowStore[] rows = new RowStore[SERVERS];
    ParityStore[] parities = new ParityStore[SERVERS];
    ParameterInit init = new ParameterInit(job.seed());
    int rowBytes = job.rowLayout().rowBytes();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment ids = arena.allocate(8L * BATCH, 64);
      MemorySegment counters = arena.allocate(4L * BATCH, 64);
      MemorySegment differences = arena.allocate((long) rowBytes * BATCH, 64);
      MemorySegment gradients = arena.allocate(4L * job.model().dim() * BATCH, 64);
      for (long at = 0; at < gradients.byteSize(); at += 4) {
        gradients.set(ValueLayout.JAVA_FLOAT_UNALIGNED, at, 1e-3f + at % 1000 * 1e-6f);
      }
      long before = residentBytes();
      for (int server = 0; server < SERVERS; server++) {
        rows[server] =
            new RowStore(job.model(), job.optimizer(), map, server, init, MemorySettings.DEFAULT);
        if (redundant) {
          parities[server] =
              new ParityStore(
                  job.model(), job.optimizer(), map, server, erasure, MemorySettings.DEFAULT);
        }
      }
      for (int server = 0; server < SERVERS; server++) {
        int count = 0;
        for (long index = 0; index <= map.dataCapacity(); index++) {
          boolean end = index == map.dataCapacity();
          long row = end ? Long.MAX_VALUE : map.rowAt(server, index);
          if (row < map.rows()) {
            ids.set(ID, 8L * count++, row);
          }
          if (count == BATCH || (end && count > 0)) {
            if (redundant) {
              rows[server].apply(ids, count, gradients, 0.01f, erasure, differences, counters);
              fold(map, server, ids, counters, differences, rowBytes, count, parities);
            } else {
              rows[server].apply(ids, count, gradients, 0.01f);
            }
            count = 0;
          }
        }
      }
      return residentBytes() - before;
    } finally {
      for (int server = 0; server < SERVERS; server++) {
        if (rows[server] != null) {
          rows[server].close();
        }
        if (parities[server] != null) {
          parities[server].close();
        }
      }
    }
  }

  private static void fold(
      StripeMap map,
      int owner,
      MemorySegment ids,
      MemorySegment counters,
      MemorySegment differences,
      int rowBytes,
      int count,
      ParityStore[] parities)
      throws RefusedException {
    for (int i = 0; i < count; i++) {
      long stripe = ids.get(ID, 8L * i) / map.k();
      for (int parity = 0; parity < map.r(); parity++) {
        parities[map.serverOf(stripe, map.k() + parity)].fold(
            owner,
            ids.asSlice(8L * i, 8),
            counters.asSlice(4L * i, 4),
            differences.asSlice((long) i * rowBytes, rowBytes),
            1);
      }
    }
  }

  /**
   * Resident memory of the process' writable mappings without reservation: those of tables,
   * parities and counters. Not the Java heap, nor the C library's heaps, which begin at multiples
   * of 64 MiB.
   */
  private static long residentBytes() throws IOException {
    long sum = 0;
    long start = 0;
    long anonymous = 0;
    for (String line : Files.readAllLines(Path.of("/proc/self/smaps"))) {
      if (line.matches("[0-9a-f]+-[0-9a-f]+ .*")) {
        start = Long.parseUnsignedLong(line.substring(0, line.indexOf('-')), 16);
      } else if (line.startsWith("Anonymous:")) {
        anonymous = 1024 * Long.parseLong(line.replaceAll("\\D", ""));
      } else if (line.startsWith("VmFlags:")
          && line.contains(" wr ")
          && line.contains(" nr")
          && start % (64 << 20) != 0) {
        sum += anonymous;
      }
    }
    return sum;
  }
}
