package io.holdfast.checkpoint.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.checkpoint.model.TestModel.Row;
import io.holdfast.config.model.Interaction;
import io.holdfast.config.model.ModelSpec;
import io.holdfast.config.model.OptimizerKind;
import io.holdfast.config.model.OptimizerSpec;
import io.holdfast.config.model.TableSpec;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ModelDigestTest {
  private static final MemorySegment VALUES = MemorySegment.ofArray(new float[3]);
  private static final MemorySegment NN = MemorySegment.ofArray(new float[9]);

  private final TestModel tiny = TestModel.tiny();

  /** Computed outside Java from the byte layout in docs/model-format.md. */
  @Test
  void shouldNeverChange() {
    assertEquals(
        "b82c4b8a102ba9e0d6f24879120d295e2ef04bde26a093a1c6fc457fde4adf8a", tiny.digestHex());
  }

  @Test
  void shouldDependOnEverythingThatTakesPart() {
    ModelSpec spec = tiny.spec();
    OptimizerSpec optimizer = tiny.optimizer();
    List<TableSpec> otherColumn = List.of(new TableSpec(1, 3), new TableSpec(5, 4));
    List<TableSpec> otherRows = List.of(new TableSpec(0, 4), new TableSpec(5, 3));
    Set<String> digests = new HashSet<>();
    digests.add(tiny.digestHex());
    digests.add(digest(spec, optimizer, 43));
    digests.add(digest(withTables(otherColumn), optimizer, -42));
    digests.add(digest(withTables(otherRows), optimizer, -42));
    digests.add(withRow(new Row(1, 7, TestModel.bits(-0.0f, 1e-40f, 3))).digestHex());
    digests.add(withRow(new Row(3, 7, TestModel.bits(0.0f, 1e-40f, 3))).digestHex());
    digests.add(withRow(new Row(3, 7, TestModel.bits(-0.0f, 2e-40f, 3))).digestHex());
    digests.add(withRow(new Row(3, 7, TestModel.bits(-0.0f, 1e-40f, 3.0000002f))).digestHex());
    digests.add(withNn(tiny.nnState(), tiny.nnState()).digestHex());
    digests.add(withNn(tiny.nnWeights(), tiny.nnWeights()).digestHex());
    digests.add(
        new TestModel(
                spec, optimizer, tiny.rows().subList(0, 2), 41, tiny.nnWeights(), tiny.nnState())
            .digestHex());
    assertEquals(11, digests.size(), digests.toString());
  }

  @Test
  void shouldTellOptimizersOfEqualStateApart() {
    Set<String> digests = new HashSet<>();
    for (OptimizerKind kind : List.of(OptimizerKind.MOMENTUM, OptimizerKind.ADAGRAD)) {
      digests.add(TestModel.random(new Random(1), kind, 4, 5).digestHex());
    }
    assertEquals(2, digests.size(), digests.toString());
  }

  @Test
  void shouldNotDependOnUpdateCounters() {
    Row row = tiny.rows().get(1);
    TestModel other = withRow(new Row(row.row(), row.updates() + 1, row.values()));
    assertEquals(tiny.digestHex(), other.digestHex());
  }

  @Test
  void shouldNotDependOnWhereTheValuesLie() {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    // Rows of 3 floats and 8 bytes do not divide the digest's buffer, so they cross its end.
    TestModel model = TestModel.random(random, OptimizerKind.SGD, 3, 30_000);
    ModelDigest digest = model.digest();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocate(1 << 10);
      for (Row row : model.rows()) {
        long offset = random.nextInt(900);
        MemorySegment values = TestModel.segment(row.values());
        MemorySegment.copy(values, 0, memory, offset, values.byteSize());
        digest.row(row.row(), row.updates(), memory, offset);
      }
      digest.nn(1, TestModel.segment(model.nnWeights()), TestModel.segment(model.nnState()));
    }
    assertEquals(model.digestHex(), digest.hex(), "seed " + seed);
  }

  @Test
  void shouldRefuseRowsOutOfOrder() {
    ModelDigest digest = tiny.digest();
    digest.row(3, 1, VALUES, 0);
    refuses("row 3 comes after row 3", () -> digest.row(3, 1, VALUES, 0));
    refuses("row 2 comes after row 3", () -> digest.row(2, 1, VALUES, 0));
    refuses("row 7 of a model of 7 rows", () -> digest.row(7, 1, VALUES, 0));
    refuses("row 4 has 0 updates", () -> digest.row(4, 0, VALUES, 0));
    digest.nn(1, NN, NN);
    refuses("row 4 comes after the NN", () -> digest.row(4, 1, VALUES, 0));
    refuses("the NN comes twice", () -> digest.nn(1, NN, NN));
  }

  @Test
  void shouldRefuseNegativeRows() {
    refuses("row -1", () -> tiny.digest().row(-1, 1, VALUES, 0));
  }

  @Test
  void shouldRefuseAnNnOfAnotherLength() {
    refuses("weights have 12 bytes, must be 36", () -> tiny.digest().nn(1, VALUES, NN));
    refuses("state have 12 bytes, must be 36", () -> tiny.digest().nn(1, NN, VALUES));
  }

  @Test
  void shouldNotTellHalfAModel() {
    ModelDigest digest = tiny.digest();
    digest.row(3, 1, VALUES, 0);
    assertThrows(IllegalStateException.class, digest::hex);
  }

  @Test
  void shouldTellTheSameTwice() {
    ModelDigest digest = tiny.digest();
    tiny.tell(digest);
    assertEquals(digest.hex(), digest.hex());
  }

  @Test
  void shouldFeedTwoVisitorsInOneWalk() {
    ModelDigest digest = tiny.digest();
    TestModel.Recorder recorder = new TestModel.Recorder(tiny.spec(), tiny.optimizer());
    tiny.tell(new TeeVisitor(digest, recorder));
    assertEquals(tiny.digestHex(), digest.hex());
    assertEquals(tiny, recorder.model());
  }

  private static void refuses(String message, Runnable step) {
    IllegalArgumentException e = assertThrows(IllegalArgumentException.class, step::run);
    assertTrue(e.getMessage().contains(message), e.getMessage());
  }

  private String digest(ModelSpec spec, OptimizerSpec optimizer, long seed) {
    ModelDigest digest = new ModelDigest(spec, optimizer, seed);
    tiny.tell(digest);
    return digest.hex();
  }

  private static ModelSpec withTables(List<TableSpec> tables) {
    return new ModelSpec("tiny", 2, List.of(1, 2), List.of(1), Interaction.SUM, tables);
  }

  private TestModel withRow(Row row) {
    List<Row> rows = List.of(tiny.rows().get(0), row, tiny.rows().get(2));
    return new TestModel(tiny.spec(), tiny.optimizer(), rows, 41, tiny.nnWeights(), tiny.nnState());
  }

  private TestModel withNn(List<Integer> weights, List<Integer> state) {
    return new TestModel(tiny.spec(), tiny.optimizer(), tiny.rows(), 41, weights, state);
  }
}
