package io.holdfast.worker.dense;

import io.holdfast.config.model.ModelSpec;
import io.holdfast.config.model.NnLayout;
import io.holdfast.config.model.NnLayout.Layer;
import io.holdfast.config.model.ParameterInit;
import io.holdfast.config.model.Presets;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;

/**
 * Times the dense step beside the GEMMs of the same shapes, in turns in one run: {@code
 * DenseStepBench [batch [seconds [engine ...]]]}. With one thread it is the thread's CPU time,
 * which other processes disturb less; with more it is wall time.
 */
final class DenseStepBench {
  private DenseStepBench() {}

  public static void main(String[] args) {
    int batch = args.length > 0 ? Integer.parseInt(args[0]) : 2048;
    double seconds = args.length > 1 ? Double.parseDouble(args[1]) : 2;
    List<EngineKind> kinds = new ArrayList<>();
    for (int i = 2; i < args.length; i++) {
      kinds.add(EngineKind.valueOf(args[i]));
    }
    if (kinds.isEmpty()) {
      kinds.add(EngineKind.ND4J);
    }
    System.out.println(
        "engine preset  threads  step ms (median, best)  GEMMs ms (median, best)  ratio");
    for (EngineKind kind : kinds) {
      for (String preset : List.of("kaggle", "mlperf")) {
        for (int threads = 1; threads <= 2; threads++) {
          measure(kind, Presets.named(preset), batch, threads, seconds);
        }
      }
    }
  }

  private static long nanos(int threads) {
    return threads == 1
        ? ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime()
        : System.nanoTime();
  }

  private static void measure(
      EngineKind kind, ModelSpec model, int batch, int threads, double seconds) {
    try (DenseEngine engine = DenseEngine.create(kind, model, batch, threads);
        EngineBuffers gemmBuffers = new EngineBuffers(model, 1)) {
      fill(engine, model, batch);
      List<Runnable> gemms = gemms(model, batch, gemmBuffers);
      int steps = 0;
      List<Double> step = new ArrayList<>();
      List<Double> bound = new ArrayList<>();
      long end = System.nanoTime() + (long) (2 * seconds * 1e9);
      while (System.nanoTime() < end || steps < 12) {
        // In short blocks, so that both see the same machine; OpenBLAS's idle threads spin a while
        // after a GEMM of several threads, so the step waits until they sleep.
        Nd4jRuntime.start(kind == EngineKind.ND4J ? 1 : threads);
        for (int i = 0; i < 4; i++) {
          long start = nanos(threads);
          double loss = engine.step(batch);
          step.add((nanos(threads) - start) / 1e6);
          if (!Double.isFinite(loss)) {
            throw new IllegalStateException("loss " + loss + ": " + engine.findNonFinite(batch));
          }
        }
        Nd4jRuntime.start(threads);
        for (int i = 0; i < 4; i++) {
          long start = nanos(threads);
          gemms.forEach(Runnable::run);
          bound.add((nanos(threads) - start) / 1e6);
        }
        LockSupport.parkNanos(50_000_000);
        steps += 4;
      }
      List<Double> warmStep = step.subList(steps / 3, steps).stream().sorted().toList();
      List<Double> warmBound = bound.subList(steps / 3, steps).stream().sorted().toList();
      double stepMedian = warmStep.get(warmStep.size() / 2);
      double boundMedian = warmBound.get(warmBound.size() / 2);
      System.out.printf(
          "%s   %s  %d        %.1f  %.1f             %.1f  %.1f              %.3f  (%d steps)%n",
          kind,
          model.name(),
          threads,
          stepMedian,
          warmStep.getFirst(),
          boundMedian,
          warmBound.getFirst(),
          stepMedian / boundMedian,
          steps);
    }
  }

  /** Forward, weight gradient and input gradient of every layer with more than one output. */
  private static List<Runnable> gemms(ModelSpec model, int batch, EngineBuffers memory) {
    List<Runnable> gemms = new ArrayList<>();
    NnLayout layout = NnLayout.of(model);
    for (List<Layer> layers : Arrays.asList(layout.bottom(), layout.top())) {
      for (Layer layer : layers) {
        if (layer.out() == 1) {
          continue;
        }
        Block weights = random(memory, layer.out(), layer.in());
        Block input = random(memory, layer.in(), batch);
        Block output = random(memory, layer.out(), batch);
        Block weightGradient = random(memory, layer.out(), layer.in());
        Block inputGradient = random(memory, layer.in(), batch);
        gemms.add(() -> Block.multiply(weights, false, input, false, output));
        gemms.add(() -> Block.multiply(output, false, input, true, weightGradient));
        if (layer.weights() > 0) {
          gemms.add(() -> Block.multiply(weights, true, output, false, inputGradient));
        }
      }
    }
    return gemms;
  }

  private static Block random(EngineBuffers memory, int rows, int columns) {
    FloatArray array = memory.allocate((long) rows * columns);
    fill(array.segment(), (long) rows * columns, new SplittableRandom(rows * 31L + columns), 0.1f);
    return array.block(0, rows, columns);
  }

  private static void fill(DenseEngine engine, ModelSpec model, int batch) {
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
}
