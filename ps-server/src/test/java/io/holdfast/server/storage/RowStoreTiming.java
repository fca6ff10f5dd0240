package io.holdfast.server.storage;

import io.holdfast.config.model.ModelSpec;
import io.holdfast.config.model.OptimizerKind;
import io.holdfast.config.model.OptimizerSpec;
import io.holdfast.config.model.ParameterInit;
import io.holdfast.config.placement.StripeMap;
import io.holdfast.server.TestJobs;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Random;

/**
 * Prints rows per second of a row store on one thread, beside a bare gather of the same rows out of
 * the same memory. Server 0 of 5 (k = 4, r = 1); batches of sorted random rows, all updated before.
 * Arguments: rows on the server (default 1,000,000).
 */
public final class RowStoreTiming {
  private static final int BATCH = 2048;
  private static final int BATCHES = 64;
  private static final int SERVERS = 5;

  private RowStoreTiming() {}

  private interface Step {
    void run(int batch) throws RefusedException;
  }

  public static void main(String[] arguments) throws RefusedException {
    long own = arguments.length == 0 ? 1_000_000 : Long.parseLong(arguments[0]);
    System.out.printf(
        "%-6s %-16s %14s %14s %14s%n", "dim", "optimizer", "operation", "rows/s", "GB/s");
    for (int dim : new int[] {16, 128}) {
      for (boolean hugePages : new boolean[] {false, true}) {
        for (OptimizerKind kind : OptimizerKind.values()) {
          time(dim, kind, own, new MemorySettings(hugePages));
        }
      }
    }
  }

  private static void time(int dim, OptimizerKind kind, long own, MemorySettings memory)
      throws RefusedException {
    ModelSpec model = TestJobs.model(dim, own * SERVERS);
    StripeMap map = StripeMap.of(SERVERS, SERVERS - 1, 1, model.totalRows());
    String name = kind.option() + (memory.hugePages() ? " huge" : "");
    try (RowStore store =
            new RowStore(model, OptimizerSpec.of(kind), map, 0, new ParameterInit(1), memory);
        Arena arena = Arena.ofConfined()) {
      Random random = new Random(5);
      MemorySegment[] ids = new MemorySegment[BATCHES];
      for (int batch = 0; batch < BATCHES; batch++) {
        long[] rows =
            random
                .longs(0, map.dataCapacity())
                .map(i -> map.rowAt(0, i))
                .filter(row -> row < model.totalRows())
                .distinct()
                .limit(BATCH)
                .toArray();
        Arrays.sort(rows);
        ids[batch] = arena.allocate(8L * BATCH, 64);
        MemorySegment.copy(rows, 0, ids[batch], ValueLayout.JAVA_LONG, 0, BATCH);
      }
      MemorySegment gradients = arena.allocate(4L * dim * BATCH, 64);
      for (long i = 0; i < (long) dim * BATCH; i++) {
        gradients.setAtIndex(ValueLayout.JAVA_FLOAT, i, random.nextFloat() - 0.5f);
      }
      MemorySegment target = arena.allocate(4L * dim * BATCH + 64, 64);
      int readBytes = 4 * dim;
      int stateBytes = 4 * kind.stateFloats(dim);
      print(dim, name, "initial", best(b -> store.gather(ids[b], BATCH, target, 12)), readBytes);
      for (MemorySegment batch : ids) {
        store.apply(batch, BATCH, gradients, 0);
      }
      print(dim, name, "bare gather", best(b -> bare(store, ids[b], dim, target)), readBytes);
      print(dim, name, "gather", best(b -> store.gather(ids[b], BATCH, target, 12)), readBytes);
      print(
          dim,
          name,
          "apply",
          best(b -> store.apply(ids[b], BATCH, gradients, 1e-6f)),
          2 * (readBytes + stateBytes) + readBytes);
    }
  }

  /** The least that a gather can be: no ownership, no counters, the place computed from the id. */
  private static void bare(RowStore store, MemorySegment ids, int dim, MemorySegment target) {
    MemorySegment rows = store.memory();
    long stride = store.layout().strideBytes();
    long capacity = rows.byteSize() / stride;
    for (int i = 0; i < BATCH; i++) {
      long place = ids.getAtIndex(ValueLayout.JAVA_LONG, i) / SERVERS;
      Floats.copy(rows, Math.min(place, capacity - 1) * stride, target, 12 + 4L * dim * i, dim);
    }
  }

  /** Nanoseconds per row; of each batch the best of many rounds, for others use the machine too. */
  private static double best(Step step) throws RefusedException {
    long[] best = new long[BATCHES];
    Arrays.fill(best, Long.MAX_VALUE);
    for (int round = 0; round < 40; round++) {
      for (int batch = 0; batch < BATCHES; batch++) {
        long start = System.nanoTime();
        step.run(batch);
        best[batch] = Math.min(best[batch], System.nanoTime() - start);
      }
    }
    return Arrays.stream(best).sum() / (double) (BATCHES * BATCH);
  }

  private static void print(int dim, String optimizer, String operation, double nanos, int bytes) {
    System.out.printf(
        "%-6d %-16s %14s %14.0f %14.2f%n", dim, optimizer, operation, 1e9 / nanos, bytes / nanos);
  }
}
