package io.holdfast.worker.dense;

import io.holdfast.config.model.Interaction;
import io.holdfast.config.model.ModelSpec;
import io.holdfast.config.model.NnLayout;
import io.holdfast.config.model.ParameterInit;
import io.holdfast.config.model.TableSpec;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/** Models and inputs for tests of engines. */
final class EngineFixture {
  private EngineFixture() {}

  static ModelSpec model(
      Interaction interaction, int dim, int tables, List<Integer> bottom, List<Integer> top) {
    List<TableSpec> specs =
        IntStream.range(0, tables).mapToObj(t -> new TableSpec(t, 100)).toList();
    return new ModelSpec("test", dim, bottom, top, interaction, specs);
  }

  /** Fills parameters as at a job's start, and the whole capacity with random samples. */
  static void fill(DenseEngine engine, ModelSpec model, long seed) {
    NnLayout layout = NnLayout.of(model);
    new ParameterInit(seed).nn(layout, 0, layout.parameters(), engine.parameters());
    SplittableRandom random = new SplittableRandom(seed);
    uniform(engine.dense(), random, 2);
    uniform(engine.features(), random, 1);
    for (int sample = 0; sample < engine.capacity(); sample++) {
      set(engine.labels(), sample, random.nextInt(3) == 0 ? 1 : 0);
    }
  }

  private static void uniform(MemorySegment target, SplittableRandom random, float bound) {
    for (long i = 0; i < target.byteSize() / 4; i++) {
      set(target, i, (random.nextFloat() * 2 - 1) * bound);
    }
  }

  static float get(MemorySegment segment, long index) {
    return segment.getAtIndex(ValueLayout.JAVA_FLOAT, index);
  }

  static void set(MemorySegment segment, long index, float value) {
    segment.setAtIndex(ValueLayout.JAVA_FLOAT, index, value);
  }

  static double[] doubles(MemorySegment segment, int count) {
    double[] values = new double[count];
    for (int i = 0; i < count; i++) {
      values[i] = get(segment, i);
    }
    return values;
  }

  static float[] floats(MemorySegment segment, long count) {
    return segment.asSlice(0, count * 4).toArray(ValueLayout.JAVA_FLOAT);
  }

  /** Gradients of the embeddings alone: slot 0 of every sample is unspecified, here 0. */
  static float[] embeddingGradients(DenseEngine engine, ModelSpec model, int batch) {
    int dim = model.dim();
    int slots = model.tables().size() + 1;
    float[] all = floats(engine.featureGradients(), (long) batch * slots * dim);
    for (int sample = 0; sample < batch; sample++) {
      Arrays.fill(all, sample * slots * dim, sample * slots * dim + dim, 0f);
    }
    return all;
  }
}
