package io.holdfast.benchmarks;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.management.OperatingSystemMXBean;
import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code holdfast bench train}. */
@Command(
    name = "train",
    mixinStandardHelpOptions = true,
    description =
        "Training end to end on the embedded cluster, without redundancy and with it in turns:"
            + " samples/s, where the workers' time went, and what is allocated (--alloc).")
final class TrainBench extends Bench {
  private static final List<String> PHASES = List.of("read", "pull", "dense", "push", "wait");

  @Option(
      names = "--preset",
      split = ",",
      paramLabel = "NAME",
      defaultValue = "kaggle,mlperf",
      description = "Models (default: ${DEFAULT-VALUE}).")
  private List<String> presets;

  @Option(
      names = "--optimizer",
      split = ",",
      paramLabel = "NAME",
      defaultValue = "sgd",
      description = "Optimizers (default: ${DEFAULT-VALUE}).")
  private List<String> optimizers;

  @Option(
      names = "--redundancy",
      split = ",",
      paramLabel = "KIND",
      defaultValue = "none,ecrm",
      description = "none, ecrm: k = 4, NN replicas, two-phase (default: ${DEFAULT-VALUE}).")
  private List<String> redundancies;

  @Option(
      names = "--iterations",
      paramLabel = "I",
      defaultValue = "60",
      description = "Of all workers together in a round (default: ${DEFAULT-VALUE}).")
  private int iterations;

  @Option(
      names = "--batch",
      paramLabel = "B",
      defaultValue = "2048",
      description = "Default: ${DEFAULT-VALUE}.")
  private int batch;

  @Option(
      names = "--servers",
      paramLabel = "N",
      defaultValue = "5",
      description = "Default: ${DEFAULT-VALUE}.")
  private int servers;

  @Option(
      names = "--workers",
      paramLabel = "W",
      defaultValue = "2",
      description = "With one dense thread each (default: ${DEFAULT-VALUE}).")
  private int workers;

  @Option(
      names = "--max-rows-per-table",
      paramLabel = "M",
      defaultValue = "100000",
      description = "Default: ${DEFAULT-VALUE}.")
  private long maxRows;

  @Option(
      names = "--rows",
      paramLabel = "N",
      defaultValue = "200000",
      description = "Generated lines (default: ${DEFAULT-VALUE}).")
  private long rows;

  @Option(
      names = "--set",
      paramLabel = "KEY=VALUE",
      description = "A further setting of the job. Repeatable.")
  private List<String> settings = List.of();

  @Option(
      names = "--alloc",
      description =
          "Also tell the heap bytes that an iteration allocates in all threads: the difference"
              + " between runs of two lengths, so that start and end do not count.")
  private boolean alloc;

  private record Run(double rate, double cpuMillis, double allocated, JsonNode report) {}

  @Override
  void measure(Recorder recorder) throws IOException {
    requireOneOf("--redundancy", redundancies, List.of("none", "ecrm"));
    try (Workspace space = new Workspace()) {
      Path data = space.generate(rows, "data.tsv");
      for (String preset : presets) {
        for (String optimizer : optimizers) {
          measure(recorder, space, data, preset, optimizer);
        }
      }
    }
  }

  private void measure(
      Recorder recorder, Workspace space, Path data, String preset, String optimizer)
      throws IOException {
    List<List<Run>> runs = new ArrayList<>();
    redundancies.forEach(kind -> runs.add(new ArrayList<>()));
    List<List<Double>> allocated = new ArrayList<>();
    redundancies.forEach(kind -> allocated.add(new ArrayList<>()));
    for (int round = -1; round < rounds; round++) {
      for (int i = 0; i < redundancies.size(); i++) {
        // Taken in another order each round, so that nobody always runs behind the same neighbour.
        int kind = Math.floorMod(i + round, redundancies.size());
        if (round < 0) {
          // The JIT's: loops over vectors that are not compiled yet make objects of them.
          int count = alloc ? 3 * iterations : iterations;
          Run _ = run(space, data, preset, optimizer, redundancies.get(kind), count);
          continue;
        }
        Run run = run(space, data, preset, optimizer, redundancies.get(kind), iterations);
        runs.get(kind).add(run);
        if (alloc) {
          Run longer = run(space, data, preset, optimizer, redundancies.get(kind), 3 * iterations);
          allocated.get(kind).add((longer.allocated() - run.allocated()) / (2.0 * iterations));
        }
      }
    }
    for (int kind = 0; kind < redundancies.size(); kind++) {
      Map<String, Object> about =
          Recorder.parameters(
              "preset", preset, "optimizer", optimizer, "redundancy", redundancies.get(kind));
      List<Run> own = runs.get(kind);
      recorder.add("train", about, "samples/s", Spread.of(own.stream().map(Run::rate).toList()));
      recorder.add("cpu", about, "ms/iter", Spread.of(own.stream().map(Run::cpuMillis).toList()));
      for (String phase : PHASES) {
        recorder.add(
            "phase " + phase,
            about,
            "share",
            Spread.of(own.stream().map(run -> share(run.report(), phase)).toList()));
      }
      if (alloc) {
        recorder.add("allocated", about, "bytes/iter", Spread.of(allocated.get(kind)));
      }
      if (kind > 0) {
        List<Double> ratios = new ArrayList<>();
        for (int round = 0; round < rounds; round++) {
          ratios.add(own.get(round).rate() / runs.getFirst().get(round).rate());
        }
        recorder.add(
            redundancies.get(kind) + " / " + redundancies.getFirst(),
            Recorder.parameters("preset", preset, "optimizer", optimizer),
            Recorder.RATIO,
            Spread.of(ratios));
      }
    }
  }

  /** Of the workers' wall time; phases overlap, so shares do not add up to 1. */
  private double share(JsonNode report, String phase) {
    return report.get("phases").get(phase).asDouble()
        / (workers * report.get("seconds").asDouble());
  }

  private Run run(
      Workspace space, Path data, String preset, String optimizer, String redundancy, int count)
      throws IOException {
    List<String> arguments = new ArrayList<>(List.of("--data", data.toString()));
    arguments.addAll(List.of("--preset", preset, "--max-rows-per-table", "" + maxRows));
    arguments.addAll(List.of("--batch", "" + batch, "--iterations", "" + count));
    arguments.addAll(List.of("--servers", "" + servers, "--workers", "" + workers));
    arguments.addAll(List.of("--optimizer", optimizer, "--learning-rate", "0.02"));
    arguments.addAll(List.of("--redundancy", redundancy));
    arguments.addAll(List.of("--set", "dense.threads=1", "--set", "data.holdout=0"));
    settings.forEach(setting -> arguments.addAll(List.of("--set", setting)));
    double cpuBefore = cpuNanos();
    double allocatedBefore = allocatedBytes();
    JsonNode report = space.train(arguments);
    return new Run(
        report.get("samplesPerSecond").asDouble(),
        (cpuNanos() - cpuBefore) / 1e6 / count,
        allocatedBytes() - allocatedBefore,
        report);
  }

  private static double cpuNanos() {
    return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
        .getProcessCpuTime();
  }

  private static double allocatedBytes() {
    return ((ThreadMXBean) ManagementFactory.getThreadMXBean()).getTotalThreadAllocatedBytes();
  }
}
