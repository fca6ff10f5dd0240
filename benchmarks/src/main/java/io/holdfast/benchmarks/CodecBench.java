package io.holdfast.benchmarks;

import io.holdfast.erasure.ErasureCodes;
import java.util.List;
import java.util.Map;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code holdfast bench codec}. */
@Command(
    name = "codec",
    mixinStandardHelpOptions = true,
    description = {
      "Erasure codes on one core: encode, decode, update of all parities by a difference; data GB/s"
          + " beside memory copy, and beside ISA-L where libisal2 is installed."
    })
final class CodecBench extends Bench {
  @Option(
      names = "--code",
      split = ";",
      paramLabel = "CODE",
      defaultValue = "xor(4,1);rs(4,1);rs(4,2);rs(10,4)",
      description = "Codes, with semicolons between them (default: ${DEFAULT-VALUE}).")
  private List<String> codes;

  @Option(
      names = "--operation",
      split = ",",
      paramLabel = "NAME",
      defaultValue = "encode,decode,update",
      description = "Of ${DEFAULT-VALUE}.")
  private List<String> operations;

  @Option(
      names = "--size",
      split = ",",
      paramLabel = "BYTES",
      converter = Sizes.class,
      defaultValue = "32k,512k,8m,1g",
      description = "All units of a set together (default: ${DEFAULT-VALUE}).")
  private List<Long> sizes;

  @Option(
      names = "--millis",
      paramLabel = "MS",
      defaultValue = "200",
      description =
          "Length of a round; there are three more to warm up (default: ${DEFAULT-VALUE}).")
  private int millis;

  @Option(
      names = "--forks",
      paramLabel = "N",
      defaultValue = "1",
      description = "Processes of JMH for each figure; 0: this one (default: ${DEFAULT-VALUE}).")
  private int forks;

  @Override
  void measure(Recorder recorder) throws RunnerException {
    requireOneOf("--operation", operations, List.of("encode", "decode", "update"));
    for (String code : codes) {
      if (!code.matches("(xor|rs|sum)\\(\\d+,\\d+\\)")) {
        throw common.badUsage("--code " + code + ": must be like 'rs(4,2)', in quotes");
      }
      try {
        CodecKernels.codeOf(code);
      } catch (IllegalArgumentException e) {
        throw common.badUsage("--code " + code + ": " + e.getMessage());
      }
    }
    String kernels = ErasureCodes.kernelsInUse();
    for (long size : sizes) {
      Spread copy = run("copy", codes.getFirst(), "copy", size, CodecKernels.copyBytes(size));
      recorder.add("copy", Recorder.parameters("size", Sizes.name(size)), "GB/s", copy);
      for (String code : codes) {
        for (String operation : operations) {
          Map<String, Object> about =
              Recorder.parameters("code", code, "operation", operation, "size", Sizes.name(size));
          long bytes = CodecKernels.dataBytes(code, operation, size);
          Spread own = run("holdfast", code, operation, size, bytes);
          recorder.add(kernels, about, "GB/s", own);
          ratio(recorder, "holdfast / copy", about, own, copy);
          if (IsaL.isInstalled() && !code.startsWith("sum")) {
            Spread isal = run("isal", code, operation, size, bytes);
            recorder.add("isal", about, "GB/s", isal);
            ratio(recorder, "holdfast / isal", about, own, isal);
          }
        }
      }
    }
  }

  private static void ratio(
      Recorder recorder, String name, Map<String, Object> about, Spread own, Spread other) {
    Spread ratio =
        new Spread(
            own.median() / other.median(),
            own.least() / other.most(),
            own.most() / other.least(),
            own.rounds());
    recorder.add(name, about, Recorder.RATIO, ratio);
  }

  private Spread run(String method, String code, String operation, long size, long bytes)
      throws RunnerException {
    RunResult result =
        new Runner(
                new OptionsBuilder()
                    .include(CodecKernels.class.getName() + "\\." + method + "$")
                    .param("code", code)
                    .param("operation", operation)
                    .param("setBytes", Long.toString(size))
                    .forks(forks)
                    // On a starved machine the compiler would still be at work when rounds begin.
                    .jvmArgsAppend("-Xbatch")
                    .warmupIterations(3)
                    .warmupTime(TimeValue.milliseconds(millis))
                    .measurementIterations(rounds)
                    .measurementTime(TimeValue.milliseconds(millis))
                    .shouldFailOnError(true)
                    .verbosity(VerboseMode.SILENT)
                    .build())
            .runSingle();
    return Spread.of(
        result.getBenchmarkResults().stream()
            .flatMap(trial -> trial.getIterationResults().stream())
            .map(iteration -> iteration.getPrimaryResult().getScore() * bytes / 1e9)
            .toList());
  }
}
