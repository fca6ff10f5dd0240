package io.holdfast.worker.dense;

import io.holdfast.config.model.ModelSpec;
import io.holdfast.config.model.NnLayout;
import io.holdfast.config.model.NnLayout.Layer;
import io.holdfast.config.model.ParameterInit;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Times an engine's step on random data, and the GEMMs of the same shapes by themselves: forward,
 * gradient of the weights and gradient of the input of every layer with more than one output. No
 * step can be faster than these. With one thread it is the thread's processor time, which other
 * processes disturb less; with more it is wall time.
 */
public final class DenseStepTimer implements AutoCloseable {
  private final EngineKind kind;
  private final int batch;
  private final int threads;
  private final DenseEngine engine;
  private final EngineBuffers memory;
  private final List<Runnable> gemms = new ArrayList<>();

  /** Makes an engine and fills it. */
  public DenseStepTimer(EngineKind kind, ModelSpec model, int batch, int threads) {
    this.kind = kind;
    this.batch = batch;
    this.threads = threads;
    engine = DenseEngine.create(kind, model, batch, threads);
    memory = new EngineBuffers(model, 1);
    fill(model);
    NnLayout layout = NnLayout.of(model);
    for (List<Layer> layers : Arrays.asList(layout.bottom(), layout.top())) {
      layers.stream().filter(layer -> layer.out() > 1).forEach(this::addGemms);
    }
  }

  private void addGemms(Layer layer) {
    Block weights = random(layer.out(), layer.in());
    Block input = random(layer.in(), batch);
    Block output = random(layer.out(), batch);
    Block weightGradient = random(layer.out(), layer.in());
    Block inputGradient = random(layer.in(), batch);
    gemms.add(() -> Block.multiply(weights, false, input, false, output));
    gemms.add(() -> Block.multiply(output, false, input, true, weightGradient));
    if (layer.weights() > 0) {
      gemms.add(() -> Block.multiply(weights, true, output, false, inputGradient));
    }
  }

  private Block random(int rows, int columns) {
    FloatArray array = memory.allocate((long) rows * columns);
    fill(array.segment(), (long) rows * columns, new SplittableRandom(rows * 31L + columns), 0.1f);
    return array.block(0, rows, columns);
  }

  private void fill(ModelSpec model) {
    NnLayout layout = NnLayout.of(model);
    new ParameterInit(1).nn(layout, 0, layout.parameters(), engine.parameters());
    SplittableRandom random = new SplittableRandom(2);
    fill(engine.dense(), (long) batch * model.denseFeatures(), random, 1f);
    long features = (long) batch * (model.tables().size() + 1) * model.dim();
    fill(engine.features(), features, random, 0.1f);
    for (int sample = 0; sample < batch; sample++) {
      engine.labels().setAtIndex(ValueLayout.JAVA_FLOAT, sample, random.nextInt(4) == 0 ? 1 : 0);
    }
  }

  private static void fill(MemorySegment target, long count, SplittableRandom random, float scale) {
    for (long i = 0; i < count; i++) {
      float value = (random.nextFloat() * 2 - 1) * scale;
      target.setAtIndex(ValueLayout.JAVA_FLOAT, i, value);
    }
  }

  private long nanos() {
    return threads == 1
        ? ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime()
        : System.nanoTime();
  }

  /** Milliseconds of one step, forward and backward. */
  public double stepMillis() {
    // Our own engine cuts the batch by itself.
    Nd4jRuntime.start(kind == EngineKind.ND4J ? 1 : threads);
    long start = nanos();
    double loss = engine.step(batch);
    double millis = (nanos() - start) / 1e6;
    if (!Double.isFinite(loss)) {
      throw new IllegalStateException("loss " + loss + ": " + engine.findNonFinite(batch));
    }
    return millis;
  }

  /** Milliseconds of the GEMMs of one step, with as many threads of OpenBLAS. */
  public double gemmMillis() {
    Nd4jRuntime.start(threads);
    long start = nanos();
    gemms.forEach(Runnable::run);
    return (nanos() - start) / 1e6;
  }

  @Override
  public void close() {
    engine.close();
    memory.close();
  }
}
