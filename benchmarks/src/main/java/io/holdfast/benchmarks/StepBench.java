package io.holdfast.benchmarks;

import io.holdfast.config.model.ModelSpec;
import io.holdfast.config.model.Presets;
import io.holdfast.worker.dense.DenseStepTimer;
import io.holdfast.worker.dense.EngineKind;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code holdfast bench step}. */
@Command(
    name = "step",
    mixinStandardHelpOptions = true,
    description =
        "The dense step alone, forward and backward, beside the GEMMs of the same shapes, which no"
            + " step can beat.")
final class StepBench extends Bench {
  /** OpenBLAS's idle threads spin for a while after a GEMM of several threads. */
  private static final long SETTLE_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

  @Option(
      names = "--preset",
      split = ",",
      paramLabel = "NAME",
      defaultValue = "kaggle,mlperf",
      description = "Models (default: ${DEFAULT-VALUE}).")
  private List<String> presets;

  @Option(
      names = "--engine",
      split = ",",
      paramLabel = "NAME",
      defaultValue = "nd4j",
      description = "nd4j, dl4j (default: ${DEFAULT-VALUE}).")
  private List<String> engines;

  @Option(
      names = "--threads",
      split = ",",
      paramLabel = "T",
      defaultValue = "1,2",
      description = "Default: ${DEFAULT-VALUE}.")
  private List<Integer> threads;

  @Option(
      names = "--batch",
      split = ",",
      paramLabel = "B",
      defaultValue = "2048",
      description = "Samples of a step (default: ${DEFAULT-VALUE}).")
  private List<Integer> batches;

  @Option(
      names = "--steps",
      paramLabel = "N",
      defaultValue = "4",
      description =
          "Steps of a round; the round's figure is their mean (default: ${DEFAULT-VALUE}).")
  private int steps;

  @Override
  void measure(Recorder recorder) {
    requireOneOf("--preset", presets, Presets.names());
    requireOneOf("--engine", engines, List.of("nd4j", "dl4j"));
    for (String engine : engines) {
      for (String preset : presets) {
        for (int batch : batches) {
          for (int threadCount : threads) {
            measure(recorder, engine, preset, batch, threadCount);
          }
        }
      }
    }
  }

  private void measure(
      Recorder recorder, String engine, String preset, int batch, int threadCount) {
    ModelSpec model = Presets.named(preset);
    Map<String, Object> about =
        Recorder.parameters(
            "engine", engine, "preset", preset, "batch", batch, "threads", threadCount);
    List<Double> step = new ArrayList<>();
    List<Double> gemms = new ArrayList<>();
    List<Double> ratios = new ArrayList<>();
    EngineKind kind = EngineKind.valueOf(engine.toUpperCase(Locale.ROOT));
    try (DenseStepTimer timer = new DenseStepTimer(kind, model, batch, threadCount)) {
      int warmUp = Math.max(2, rounds / 2);
      for (int round = -warmUp; round < rounds; round++) {
        // In short blocks, so that both see the same machine.
        double stepSum = 0;
        double gemmSum = 0;
        for (int i = 0; i < steps; i++) {
          stepSum += timer.stepMillis();
        }
        for (int i = 0; i < steps; i++) {
          gemmSum += timer.gemmMillis();
        }
        LockSupport.parkNanos(SETTLE_NANOS);
        if (round >= 0) {
          step.add(stepSum / steps);
          gemms.add(gemmSum / steps);
          ratios.add(stepSum / gemmSum);
        }
      }
    }
    recorder.add("step", about, "ms", Spread.of(step));
    recorder.add("gemms", about, "ms", Spread.of(gemms));
    recorder.add("step / gemms", about, Recorder.RATIO, Spread.of(ratios));
  }
}
