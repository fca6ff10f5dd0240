package io.holdfast.worker.dense;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.config.model.Interaction;
import io.holdfast.config.model.ModelSpec;
import io.holdfast.config.model.NnLayout;
import io.holdfast.config.model.Presets;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class DenseEngineTest {
  private static final ModelSpec KAGGLE = Presets.named("kaggle").withMaxRowsPerTable(100);

  /** Widths that are, and that are not, multiples of a vector; tops of one and of three layers. */
  private static List<ModelSpec> tinyModels() {
    List<ModelSpec> models = new ArrayList<>();
    for (Interaction interaction : Interaction.values()) {
      models.add(EngineFixture.model(interaction, 3, 2, List.of(4, 5, 3), List.of(6, 1)));
      models.add(EngineFixture.model(interaction, 20, 5, List.of(2, 20), List.of(19, 7, 1)));
      models.add(EngineFixture.model(interaction, 2, 1, List.of(1, 2), List.of(1)));
    }
    return models;
  }

  @ParameterizedTest
  @EnumSource
  void shouldComputeLossProbabilitiesAndGradientsOfTheDefinition(EngineKind kind) {
    for (ModelSpec model : tinyModels()) {
      for (int threads = 1; threads <= 3; threads++) {
        try (DenseEngine engine = DenseEngine.create(kind, model, 7, threads)) {
          EngineFixture.fill(engine, model, 42);
          checkAgainstReference(engine, model, 7);
          checkAgainstReference(engine, model, 2);
          checkAgainstReference(engine, model, 1);
          checkAgainstReference(engine, model, 7);
        }
      }
    }
  }

  private static void checkAgainstReference(DenseEngine engine, ModelSpec model, int batch) {
    NnLayout layout = NnLayout.of(model);
    int slots = model.tables().size() + 1;
    double[] parameters = EngineFixture.doubles(engine.parameters(), layout.parameters());
    double[] dense = EngineFixture.doubles(engine.dense(), batch * model.denseFeatures());
    double[] features = EngineFixture.doubles(engine.features(), batch * slots * model.dim());
    double[] labels = EngineFixture.doubles(engine.labels(), batch);
    ReferenceDlrm reference = new ReferenceDlrm(model);
    String what = model.interaction() + " dim " + model.dim() + " batch " + batch;

    double loss = engine.step(batch);

    assertEquals(
        reference.loss(parameters, dense, features, labels), loss, 1e-5 * (1 + loss), what);
    for (int i = 0; i < layout.parameters(); i++) {
      double expected =
          reference.gradient(ReferenceDlrm.By.PARAMETERS, i, parameters, dense, features, labels);
      assertEquals(
          expected,
          EngineFixture.get(engine.gradients(), i),
          1e-4 * (1 + Math.abs(expected)),
          what + ", gradient of " + layout.nameOf(i) + " " + i);
    }
    for (int i = 0; i < features.length; i++) {
      if (i / model.dim() % slots == 0) {
        continue;
      }
      double expected =
          reference.gradient(ReferenceDlrm.By.FEATURES, i, parameters, dense, features, labels);
      assertEquals(
          expected,
          EngineFixture.get(engine.featureGradients(), i),
          1e-4 * (1 + Math.abs(expected)),
          what + ", gradient of feature " + i);
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment probabilities = arena.allocate(4L * batch);
      engine.predict(batch, probabilities);
      for (int sample = 0; sample < batch; sample++) {
        assertEquals(
            reference.probability(parameters, dense, features, sample),
            EngineFixture.get(probabilities, sample),
            1e-5,
            what + ", probability");
      }
    }
  }

  /**
   * A pre-activation that is 0 but for rounding may pass its ReLU in one engine and not in the
   * other, which changes one sample's gradients. That is rare: most batches must agree to rounding.
   */
  @Test
  void shouldAgreeBetweenEnginesOnARealModel() {
    int batch = 48;
    int agreed = 0;
    int seeds = 6;
    try (DenseEngine fast = DenseEngine.create(EngineKind.ND4J, KAGGLE, 64, 1);
        DenseEngine second = DenseEngine.create(EngineKind.DL4J, KAGGLE, 64, 1)) {
      for (int seed = 0; seed < seeds; seed++) {
        EngineFixture.fill(fast, KAGGLE, seed);
        EngineFixture.fill(second, KAGGLE, seed);
        assertEquals(second.step(batch), fast.step(batch), 1e-5, "seed " + seed);
        double difference =
            Math.max(
                difference(gradients(second, KAGGLE), gradients(fast, KAGGLE)),
                difference(
                    EngineFixture.embeddingGradients(second, KAGGLE, batch),
                    EngineFixture.embeddingGradients(fast, KAGGLE, batch)));
        assertTrue(difference < 0.05, "seed " + seed + ": relative difference " + difference);
        agreed += difference < 2e-6 ? 1 : 0;
      }
    }
    assertTrue(agreed >= seeds - 2, agreed + " of " + seeds + " batches agree to rounding");
  }

  private static float[] gradients(DenseEngine engine, ModelSpec model) {
    return EngineFixture.floats(engine.gradients(), NnLayout.of(model).parameters());
  }

  /** Euclidean length of the difference, relative to that of {@code expected}. */
  private static double difference(float[] expected, float[] actual) {
    double squares = 0;
    double differences = 0;
    for (int i = 0; i < expected.length; i++) {
      squares += (double) expected[i] * expected[i];
      differences += Math.pow((double) expected[i] - actual[i], 2);
    }
    assertTrue(squares > 0, "a gradient of zeros proves nothing");
    return Math.sqrt(differences / squares);
  }

  @Test
  void shouldGiveTheSameBitsForTheSameInputsHoweverOften() {
    for (int threads = 1; threads <= 2; threads++) {
      float[] first = null;
      // Enough steps that the loops are compiled on the way: interpreted and compiled must agree.
      try (DenseEngine engine = DenseEngine.create(EngineKind.ND4J, KAGGLE, 33, threads)) {
        EngineFixture.fill(engine, KAGGLE, 3);
        for (int i = 0; i < 100; i++) {
          double loss = engine.step(33);
          float[] result = outputs(engine, loss, 33);
          if (first == null) {
            first = result;
          }
          assertArrayEquals(first, result, "threads " + threads + ", repetition " + i);
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void shouldGiveTheSameBitsBesideAnotherEngine(EngineKind kind) throws Exception {
    int engines = 3;
    int repetitions = 10;
    List<float[]> alone = new ArrayList<>();
    for (int i = 0; i < engines; i++) {
      alone.add(run(kind, i, 1, new CountDownLatch(0)));
    }
    try (ExecutorService threads = Executors.newFixedThreadPool(engines)) {
      CountDownLatch start = new CountDownLatch(engines);
      List<Future<float[]>> together = new ArrayList<>();
      for (int i = 0; i < engines; i++) {
        int seed = i;
        together.add(threads.submit(() -> run(kind, seed, repetitions, start)));
      }
      for (int i = 0; i < engines; i++) {
        assertArrayEquals(alone.get(i), together.get(i).get(), "engine " + i);
      }
    }
  }

  private static float[] run(EngineKind kind, int seed, int repetitions, CountDownLatch start)
      throws InterruptedException {
    try (DenseEngine engine = DenseEngine.create(kind, KAGGLE, 64, 1)) {
      EngineFixture.fill(engine, KAGGLE, seed);
      start.countDown();
      start.await();
      float[] result = null;
      for (int i = 0; i < repetitions; i++) {
        double loss = engine.step(64);
        result = outputs(engine, loss, 64);
      }
      return result;
    }
  }

  private static float[] outputs(DenseEngine engine, double loss, int batch) {
    float[] nn = gradients(engine, KAGGLE);
    float[] embeddings = EngineFixture.embeddingGradients(engine, KAGGLE, batch);
    float[] all = new float[nn.length + embeddings.length + 1];
    System.arraycopy(nn, 0, all, 0, nn.length);
    System.arraycopy(embeddings, 0, all, nn.length, embeddings.length);
    all[all.length - 1] = (float) loss;
    return all;
  }

  @Test
  void shouldNotDependOnSamplesBehindTheBatch() {
    try (DenseEngine small = DenseEngine.create(EngineKind.ND4J, KAGGLE, 20, 1);
        DenseEngine large = DenseEngine.create(EngineKind.ND4J, KAGGLE, 50, 1)) {
      EngineFixture.fill(large, KAGGLE, 11);
      EngineFixture.fill(small, KAGGLE, 11);
      small.dense().copyFrom(large.dense().asSlice(0, small.dense().byteSize()));
      small.features().copyFrom(large.features().asSlice(0, small.features().byteSize()));
      small.labels().copyFrom(large.labels().asSlice(0, small.labels().byteSize()));
      large.step(50);
      assertArrayEquals(outputs(small, small.step(20), 20), outputs(large, large.step(20), 20));
    }
  }

  @ParameterizedTest
  @EnumSource
  void shouldStayFiniteAtExtremeLogits(EngineKind kind) {
    ModelSpec model = EngineFixture.model(Interaction.SUM, 2, 1, List.of(1, 2), List.of(1));
    int bias = NnLayout.of(model).top().getFirst().bias();
    try (DenseEngine engine = DenseEngine.create(kind, model, 2, 1)) {
      for (float logit : new float[] {-1000, 1000}) {
        EngineFixture.set(engine.parameters(), bias, logit);
        EngineFixture.set(engine.labels(), 0, 0);
        EngineFixture.set(engine.labels(), 1, 1);
        assertEquals(500, engine.step(2));
        assertEquals(logit > 0 ? 0.5 : -0.5, EngineFixture.get(engine.gradients(), bias));
        assertNull(engine.findNonFinite(2));
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void shouldNameTheTensorThatIsNotFinite(EngineKind kind) {
    ModelSpec model = EngineFixture.model(Interaction.DOT, 16, 3, List.of(4, 16), List.of(8, 5, 1));
    NnLayout.Layer top = NnLayout.of(model).top().get(1);
    SplittableRandom random = new SplittableRandom(5);
    for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
      int sample = random.nextInt(6);
      for (Fault fault :
          List.of(
              new Fault("dense", sample * 4 + 2, "dense input (sample " + sample + ")"),
              new Fault("labels", sample, "labels (sample " + sample + ")"),
              new Fault(
                  "features",
                  (sample * 4 + 2) * 16 + 3,
                  "embeddings of table 1 (sample " + sample + ")"),
              new Fault("parameters", top.weights() + 7, "top.1.weights"),
              new Fault("parameters", top.bias() + 4, "top.1.bias"))) {
        try (DenseEngine engine = DenseEngine.create(kind, model, 6, 1)) {
          EngineFixture.fill(engine, model, 1);
          double loss = engine.step(6);
          assertTrue(Double.isFinite(loss));
          assertNull(engine.findNonFinite(6));
          EngineFixture.set(fault.in(engine), fault.index, bad);
          engine.step(6);
          assertEquals(fault.expected, engine.findNonFinite(6), "with " + bad);
        }
      }
    }
  }

  private record Fault(String buffer, int index, String expected) {
    MemorySegment in(DenseEngine engine) {
      return switch (buffer) {
        case "dense" -> engine.dense();
        case "labels" -> engine.labels();
        case "features" -> engine.features();
        default -> engine.parameters();
      };
    }
  }

  @ParameterizedTest
  @EnumSource
  void shouldReportALossThatIsNotFinite(EngineKind kind) {
    ModelSpec model = EngineFixture.model(Interaction.DOT, 4, 2, List.of(3, 4), List.of(5, 1));
    for (String buffer : List.of("dense", "features", "labels")) {
      try (DenseEngine engine = DenseEngine.create(kind, model, 4, 1)) {
        EngineFixture.fill(engine, model, 1);
        EngineFixture.set(
            new Fault(buffer, 0, "").in(engine), buffer.equals("features") ? 4 : 0, Float.NaN);
        assertTrue(Double.isNaN(engine.step(4)), buffer);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void shouldRefuseSizesOutOfRange(EngineKind kind) {
    assertThrows(IllegalArgumentException.class, () -> DenseEngine.create(kind, KAGGLE, 0, 1));
    assertThrows(IllegalArgumentException.class, () -> DenseEngine.create(kind, KAGGLE, 1, 0));
    try (DenseEngine engine = DenseEngine.create(kind, KAGGLE, 4, 1)) {
      assertThrows(IllegalArgumentException.class, () -> engine.step(0));
      assertThrows(IllegalArgumentException.class, () -> engine.step(5));
    }
  }

  @ParameterizedTest
  @EnumSource
  void shouldRefuseBuffersOfAClosedEngine(EngineKind kind) {
    DenseEngine engine = DenseEngine.create(kind, KAGGLE, 4, 1);
    MemorySegment labels = engine.labels();
    engine.close();
    engine.close();
    assertThrows(IllegalStateException.class, () -> EngineFixture.get(labels, 0));
  }
}
