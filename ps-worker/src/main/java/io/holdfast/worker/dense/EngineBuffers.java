package io.holdfast.worker.dense;

import io.holdfast.config.model.ModelSpec;
import io.holdfast.config.model.NnLayout;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/** What the caller of an engine fills and reads, and the logits. */
final class EngineBuffers implements AutoCloseable {
  final ModelSpec model;
  final NnLayout layout;
  final int capacity;

  /** Embeddings of a sample and the bottom MLP's output. */
  final int slots;

  final FloatArray parameters;
  final FloatArray dense;
  final FloatArray features;
  final FloatArray labels;
  final FloatArray gradients;
  final FloatArray featureGradients;
  final FloatArray logits;

  private final Arena arena = Arena.ofShared();
  private final List<FloatArray> arrays = new ArrayList<>();

  EngineBuffers(ModelSpec model, int capacity) {
    this.model = model;
    this.layout = NnLayout.of(model);
    this.capacity = capacity;
    this.slots = model.tables().size() + 1;
    parameters = allocate(layout.parameters());
    dense = allocate((long) capacity * model.denseFeatures());
    features = allocate((long) capacity * slots * model.dim());
    labels = allocate(capacity);
    gradients = allocate(layout.parameters());
    featureGradients = allocate((long) capacity * slots * model.dim());
    logits = allocate(capacity);
  }

  /** Memory that is freed with these buffers. */
  FloatArray allocate(long length) {
    FloatArray array = new FloatArray(arena, length);
    arrays.add(array);
    return array;
  }

  void checkBatch(int batch) {
    if (batch < 1 || batch > capacity) {
      throw new IllegalArgumentException(
          "a batch of " + batch + " samples; this engine takes 1 to " + capacity);
    }
  }

  /** See {@link DenseEngine#findNonFinite}. */
  String findNonFinite(int batch) {
    checkBatch(batch);
    String found = inSamples("dense input", dense, batch, model.denseFeatures());
    if (found == null) {
      found = inSamples("labels", labels, batch, 1);
    }
    if (found == null) {
      found = inSlots("", features, batch);
    }
    if (found == null) {
      found = inParameters("", parameters);
    }
    if (found == null) {
      found = inSamples("logits", logits, batch, 1);
    }
    if (found == null) {
      found = inParameters("gradient of ", gradients);
    }
    if (found == null) {
      found = inSlots("gradient of ", featureGradients, batch);
    }
    return found;
  }

  private static String inSamples(String name, FloatArray array, int batch, int width) {
    long index = firstNonFinite(array.segment(), 0, (long) batch * width);
    return index < 0 ? null : name + " (sample " + index / width + ")";
  }

  private String inSlots(String prefix, FloatArray array, int batch) {
    int dim = model.dim();
    for (int sample = 0; sample < batch; sample++) {
      long start = (long) sample * slots * dim;
      long index = firstNonFinite(array.segment(), start + dim, start + (long) slots * dim);
      if (index >= 0) {
        long table = (index - start) / dim - 1;
        return prefix + "embeddings of table " + table + " (sample " + sample + ")";
      }
    }
    return null;
  }

  private String inParameters(String prefix, FloatArray array) {
    long index = firstNonFinite(array.segment(), 0, layout.parameters());
    return index < 0 ? null : prefix + layout.nameOf((int) index);
  }

  private static long firstNonFinite(MemorySegment floats, long from, long to) {
    for (long i = from; i < to; i++) {
      if (!Float.isFinite(floats.getAtIndex(ValueLayout.JAVA_FLOAT, i))) {
        return i;
      }
    }
    return -1;
  }

  @Override
  public void close() {
    if (arena.scope().isAlive()) {
      arena.close();
      arrays.forEach(FloatArray::close);
    }
  }
}
