package io.holdfast.checkpoint.model;

import io.holdfast.config.model.Interaction;
import io.holdfast.config.model.ModelSpec;
import io.holdfast.config.model.ModelVisitor;
import io.holdfast.config.model.NnLayout;
import io.holdfast.config.model.OptimizerKind;
import io.holdfast.config.model.OptimizerSpec;
import io.holdfast.config.model.RowLayout;
import io.holdfast.config.model.TableSpec;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** A model in memory, to be told and to be compared. Floats are kept as bits, so NaNs compare. */
record TestModel(
    ModelSpec spec,
    OptimizerSpec optimizer,
    List<Row> rows,
    long nnUpdates,
    List<Integer> nnWeights,
    List<Integer> nnState) {

  record Row(long row, int updates, List<Integer> values) {}

  /** Records what it is told, to be compared with {@link TestModel}. */
  static final class Recorder implements ModelVisitor {
    private final ModelSpec spec;
    private final OptimizerSpec optimizer;
    private final List<Row> rows = new ArrayList<>();
    private TestModel model;

    Recorder(ModelSpec spec, OptimizerSpec optimizer) {
      this.spec = spec;
      this.optimizer = optimizer;
    }

    @Override
    public void row(long row, int updates, MemorySegment values, long offsetBytes) {
      long bytes = RowLayout.of(spec, optimizer).rowBytes();
      MemorySegment told = values.asSlice(offsetBytes, bytes);
      rows.add(new Row(row, updates, bits(told)));
    }

    @Override
    public void nn(long updates, MemorySegment weights, MemorySegment state) {
      model = new TestModel(spec, optimizer, rows, updates, bits(weights), bits(state));
    }

    TestModel model() {
      return model;
    }
  }

  /** Dim 2, two tables of 3 and 4 rows of which 3 are told, 9 NN parameters, row-wise Adagrad. */
  static TestModel tiny() {
    ModelSpec spec =
        new ModelSpec(
            "tiny",
            2,
            List.of(1, 2),
            List.of(1),
            Interaction.SUM,
            List.of(new TableSpec(0, 3), new TableSpec(5, 4)));
    return new TestModel(
        spec,
        OptimizerSpec.of(OptimizerKind.ROWWISE_ADAGRAD),
        List.of(
            new Row(0, 1, bits(0.5f, -0.25f, 2)),
            new Row(3, 7, bits(-0.0f, 1e-40f, 3)),
            new Row(6, 2, bits(1.5f, 3.25f, 0.125f))),
        41,
        bits(1, 2, 3, 4, 5, 6, 7, 8, 9),
        bits(0.1f, 0.2f, 0.3f, 0.4f, 0.5f, 0.6f, 0.7f, 0.8f, 0.9f));
  }

  /** Random bits, NaNs among them; about every second row is told. */
  static TestModel random(Random random, OptimizerKind kind, int dim, long tableRows) {
    ModelSpec spec =
        new ModelSpec(
            "random",
            dim,
            List.of(3, dim),
            List.of(4, 1),
            Interaction.CAT,
            List.of(new TableSpec(1, tableRows), new TableSpec(2, 1), new TableSpec(9, tableRows)));
    OptimizerSpec optimizer = OptimizerSpec.of(kind);
    RowLayout layout = RowLayout.of(spec, optimizer);
    List<Row> rows = new ArrayList<>();
    for (long row = 0; row < spec.totalRows(); row++) {
      if (random.nextBoolean()) {
        int updates = 1 + random.nextInt(Integer.MAX_VALUE);
        rows.add(new Row(row, updates, floats(random, layout.rowFloats())));
      }
    }
    int parameters = NnLayout.of(spec).parameters();
    return new TestModel(
        spec,
        optimizer,
        rows,
        random.nextLong(Long.MAX_VALUE),
        floats(random, parameters),
        floats(random, optimizer.forNn().kind().stateFloats(parameters)));
  }

  private static List<Integer> floats(Random random, int count) {
    return random.ints(count).boxed().toList();
  }

  static List<Integer> bits(float... floats) {
    return bits(MemorySegment.ofArray(floats));
  }

  private static List<Integer> bits(MemorySegment floats) {
    return Arrays.stream(floats.toArray(ValueLayout.JAVA_INT_UNALIGNED)).boxed().toList();
  }

  static MemorySegment segment(List<Integer> bits) {
    return MemorySegment.ofArray(bits.stream().mapToInt(Integer::intValue).toArray());
  }

  ModelDescription description() {
    return new ModelDescription(
        spec,
        optimizer,
        -42,
        IdMappingKind.HASH,
        "0.1.0-TEST",
        Instant.parse("2026-01-02T03:04:05Z"),
        Map.of("preset", "tiny", "name", "Zoë \"ß\"\n"));
  }

  ModelDigest digest() {
    return new ModelDigest(spec, optimizer, description().seed());
  }

  String digestHex() {
    ModelDigest digest = digest();
    tell(digest);
    return digest.hex();
  }

  void tell(ModelVisitor visitor) {
    for (Row row : rows) {
      visitor.row(row.row, row.updates, segment(row.values), 0);
    }
    visitor.nn(nnUpdates, segment(nnWeights), segment(nnState));
  }
}
