package io.holdfast.server.storage;

import static io.holdfast.server.TestJobs.bytes;
import static io.holdfast.server.TestJobs.fill;
import static io.holdfast.server.TestJobs.floats;
import static io.holdfast.server.TestJobs.ids;
import static io.holdfast.server.TestJobs.model;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.config.model.ModelSpec;
import io.holdfast.config.model.OptimizerKind;
import io.holdfast.config.model.OptimizerSpec;
import io.holdfast.config.model.ParameterInit;
import io.holdfast.config.placement.StripeMap;
import io.holdfast.config.protocol.RefusalReason;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class RowStoreTest {
  private static final long SEED = 9;
  private static final ParameterInit INIT = new ParameterInit(SEED);

  private static RowStore store(ModelSpec model, OptimizerSpec spec, StripeMap map, int server) {
    return new RowStore(model, spec, map, server, INIT, MemorySettings.DEFAULT);
  }

  private static RowStore single(ModelSpec model, OptimizerKind kind) {
    StripeMap map = StripeMap.of(1, 1, 0, model.totalRows());
    return store(model, OptimizerSpec.of(kind), map, 0);
  }

  private static float[] gather(RowStore store, long... rows) throws RefusedException {
    float[] values = new float[rows.length * store.layout().dim() + 1];
    store.gather(ids(rows), rows.length, MemorySegment.ofArray(values), 4);
    return java.util.Arrays.copyOfRange(values, 1, values.length);
  }

  private static float[] initial(ModelSpec model, long row) {
    long[] offsets = model.tableOffsets();
    int table = 0;
    while (row >= offsets[table + 1]) {
      table++;
    }
    float scale = ParameterInit.embeddingScale(model.tables().get(table).rows());
    float[] values = new float[model.dim()];
    INIT.row(row, scale, model.dim(), MemorySegment.ofArray(values), 0);
    return values;
  }

  @Test
  void shouldComputeInitialRowsWithoutTouchingMemory() throws RefusedException {
    ModelSpec model = model(5, 10, 1, 30);
    try (RowStore store = single(model, OptimizerKind.ADAGRAD)) {
      for (long row : new long[] {40, 0, 9, 10, 11, 3, 39}) {
        assertArrayEquals(initial(model, row), gather(store, row), "row " + row);
      }
      assertEquals(0, store.touchedBytes());
    }
  }

  @Test
  void shouldUpdateOnlyWhatIsNamed() throws RefusedException {
    ModelSpec model = model(4, 10, 20);
    try (RowStore store = single(model, OptimizerKind.SGD)) {
      store.apply(ids(12, 3), 2, floats(1, 1, 1, 1, 2, 2, 2, 2), 0.5f);
      float[] row12 = initial(model, 12);
      float[] row3 = initial(model, 3);
      for (int i = 0; i < 4; i++) {
        row12[i] -= 0.5f;
        row3[i] -= 1f;
      }
      assertArrayEquals(row12, gather(store, 12));
      assertArrayEquals(row3, gather(store, 3));
      assertArrayEquals(initial(model, 4), gather(store, 4));
      assertEquals(2, store.updates());
    }
  }

  @Test
  void shouldStartAdagradAtTheInitialAccumulator() throws RefusedException {
    ModelSpec model = model(2, 4);
    OptimizerSpec spec = new OptimizerSpec(OptimizerKind.ADAGRAD, 0, 0, 0, 1e-8f, 0.25f);
    try (RowStore store = store(model, spec, StripeMap.of(1, 1, 0, 4), 0)) {
      store.apply(ids(1), 1, floats(3, 4), 0);
      RowExport export = store.export(0, 4, 10);
      float[] initial = initial(model, 1);
      assertArrayEquals(
          new float[] {initial[0], initial[1], 9.25f, 16.25f},
          io.holdfast.server.TestJobs.floatsOf(export.values()));
    }
  }

  @Test
  void shouldRefuseForeignAndMissingRows() {
    ModelSpec model = model(4, 100);
    StripeMap map = StripeMap.of(3, 2, 1, 100);
    try (RowStore store = store(model, OptimizerSpec.of(OptimizerKind.SGD), map, 1)) {
      MemorySegment target = fill(4, 0);
      for (long row = 0; row < 100; row++) {
        long one = row;
        if (map.serverOfRow(row) == 1) {
          org.junit.jupiter.api.Assertions.assertDoesNotThrow(() -> gather(store, one));
        } else {
          assertEquals(
              RefusalReason.NOT_OWNER,
              assertThrows(RefusedException.class, () -> gather(store, one)).reason());
          assertThrows(
              RefusedException.class, () -> store.apply(ids(one), 1, target, 1), "row " + row);
        }
      }
      for (long row : new long[] {-1, 100, Long.MAX_VALUE, Long.MIN_VALUE}) {
        RefusedException refusal =
            assertThrows(RefusedException.class, () -> store.check(ids(row), 1));
        assertEquals(RefusalReason.MALFORMED, refusal.reason());
        assertTrue(refusal.getMessage().contains(String.valueOf(row)), refusal.getMessage());
      }
      assertEquals(0, store.touchedBytes());
    }
  }

  @ParameterizedTest
  @EnumSource(OptimizerKind.class)
  void shouldRoundTripThroughExportAndImportOnAnotherNumberOfServers(OptimizerKind kind)
      throws RefusedException {
    ModelSpec model = model(6, 50, 3, 700);
    long rows = model.totalRows();
    StripeMap three = StripeMap.of(3, 2, 1, rows);
    StripeMap five = StripeMap.of(5, 3, 2, rows);
    Random random = new Random(4);
    List<RowStore> from = new ArrayList<>();
    List<RowStore> to = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      from.add(store(model, OptimizerSpec.of(kind), three, i));
    }
    for (int i = 0; i < 5; i++) {
      to.add(store(model, OptimizerSpec.of(kind), five, i));
    }
    TreeSet<Long> updated = new TreeSet<>();
    for (int i = 0; i < 300; i++) {
      long row = random.nextLong(rows);
      updated.add(row);
      from.get(three.serverOfRow(row)).apply(ids(row), 1, fill(6, random.nextFloat()), 0.1f);
    }
    TreeSet<Long> exported = new TreeSet<>();
    for (RowStore source : from) {
      long next = 0;
      long last = -1;
      while (next < rows) {
        RowExport part = source.export(next, rows, 7);
        assertTrue(part.nextRow() > next && part.count() <= 7);
        next = part.nextRow();
        MemorySegment ids = MemorySegment.ofArray(bytes(part.rows()));
        MemorySegment counters = MemorySegment.ofArray(bytes(part.counters()));
        MemorySegment values = MemorySegment.ofArray(bytes(part.values()));
        for (long id : ids.toArray(ValueLayout.JAVA_LONG_UNALIGNED)) {
          assertTrue(id > last && exported.add(id));
          last = id;
        }
        int taken = 0;
        for (RowStore target : to) {
          taken += target.importRows(ids, counters, values, part.count());
        }
        assertEquals(part.count(), taken);
      }
    }
    assertEquals(updated, exported);
    // One more update of every row shows that weights, state and counters all came over.
    for (long row = 0; row < rows; row++) {
      RowStore source = from.get(three.serverOfRow(row));
      RowStore target = to.get(five.serverOfRow(row));
      assertArrayEquals(gather(source, row), gather(target, row));
      source.apply(ids(row), 1, fill(6, 0.5f), 0.1f);
      target.apply(ids(row), 1, fill(6, 0.5f), 0.1f);
      assertArrayEquals(
          bytes(source.export(row, row + 1, 1).values()),
          bytes(target.export(row, row + 1, 1).values()),
          kind + " row " + row);
    }
    from.forEach(RowStore::close);
    to.forEach(RowStore::close);
  }

  @Test
  void shouldRefuseImpossibleExportsAndImports() {
    try (RowStore store = single(model(2, 10), OptimizerKind.SGD)) {
      for (long[] range :
          new long[][] {{-1, 5}, {5, 4}, {0, 11}, {Long.MIN_VALUE, Long.MAX_VALUE}}) {
        assertThrows(RefusedException.class, () -> store.export(range[0], range[1], 1));
      }
      assertThrows(
          IllegalArgumentException.class,
          () -> store.importRows(ids(10), MemorySegment.ofArray(new int[] {1}), floats(0, 0), 1));
      assertThrows(
          IllegalArgumentException.class,
          () -> store.importRows(ids(1), MemorySegment.ofArray(new int[] {0}), floats(0, 0), 1));
    }
  }

  @Test
  void shouldStopLoudlyWhenACounterIsExhausted() {
    try (RowStore store = single(model(2, 10), OptimizerKind.SGD)) {
      store.importRows(
          ids(7), MemorySegment.ofArray(new int[] {Integer.MAX_VALUE}), floats(1, 2), 1);
      IllegalStateException error =
          assertThrows(IllegalStateException.class, () -> store.apply(ids(7), 1, floats(1, 1), 1));
      assertTrue(error.getMessage().contains("row 7"), error.getMessage());
    }
  }

  @Test
  void shouldServeTablesFarBeyondTwoGibibytesWithoutCommittingThem()
      throws RefusedException, IOException {
    ModelSpec model = model(64, 42_000_000);
    long before = residentBytes();
    try (RowStore store = single(model, OptimizerKind.SGD)) {
      long[] rows = {0, 1, 8_388_607, 8_388_608, 16_777_216, 33_554_433, 41_999_999};
      store.apply(ids(rows), rows.length, fill(64 * rows.length, 1f), 0.25f);
      for (long row : rows) {
        float[] expected = initial(model, row);
        for (int i = 0; i < expected.length; i++) {
          expected[i] -= 0.25f;
        }
        assertArrayEquals(expected, gather(store, row), "row " + row);
      }
      assertTrue(store.touchedBytes() <= 16 * 4096, store.touchedBytes() + " bytes");
      assertTrue(residentBytes() - before < 512L << 20, "10 GiB must not be committed");
      // A sparse walk answers in bounded steps.
      List<Long> found = new ArrayList<>();
      int calls = 0;
      for (long next = 0; next < model.totalRows(); calls++) {
        RowExport part = store.export(next, model.totalRows(), 1000);
        for (long id :
            MemorySegment.ofArray(bytes(part.rows())).toArray(ValueLayout.JAVA_LONG_UNALIGNED)) {
          found.add(id);
        }
        next = part.nextRow();
      }
      assertEquals(java.util.Arrays.stream(rows).boxed().toList(), found);
      assertEquals((model.totalRows() + RowStore.WALK_LIMIT - 1) / RowStore.WALK_LIMIT, calls);
    }
  }

  private static long residentBytes() throws IOException {
    Path statm = Path.of("/proc/self/statm");
    if (!Files.exists(statm)) {
      return 0;
    }
    return 4096 * Long.parseLong(Files.readString(statm).split(" ", -1)[1]);
  }
}
