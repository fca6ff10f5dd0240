package io.holdfast.system;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.holdfast.launcher.Main;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Runs the holdfast command inside this process and keeps what it says. */
record HoldfastRun(int exitCode, String out, String err) {
  static HoldfastRun of(List<String> arguments) {
    return of(arguments, new StringWriter());
  }

  /** Runs with an error stream that others may read meanwhile. */
  static HoldfastRun of(List<String> arguments, StringWriter err) {
    StringWriter out = new StringWriter();
    int code =
        Main.create()
            .run(
                new PrintWriter(out, true),
                new PrintWriter(err, true),
                arguments.toArray(String[]::new));
    return new HoldfastRun(code, out.toString(), err.toString());
  }

  static HoldfastRun of(String... arguments) {
    return of(List.of(arguments));
  }

  /** Makes rows. */
  static Path generate(Path directory, int rows) {
    Path data = directory.resolve("data-" + rows + ".tsv");
    of("generate", "--rows", "" + rows, "--seed", "3", "--out", data.toString()).requireDone();
    return data;
  }

  /** Arguments of a small training job; the report goes into {@code report}. */
  static List<String> train(Path data, Path report, String... more) {
    List<String> arguments = new ArrayList<>(List.of("train", "--data", data.toString()));
    arguments.addAll(List.of("--preset", "kaggle", "--max-rows-per-table", "500"));
    arguments.addAll(List.of("--batch", "128", "--report", report.toString()));
    List<String> given = List.of(more);
    Map<String, String> defaults =
        Map.of("--optimizer", "adagrad", "--learning-rate", "0.01", "--seed", "5");
    defaults.forEach(
        (option, value) -> {
          if (!given.contains(option)) {
            arguments.addAll(List.of(option, value));
          }
        });
    arguments.addAll(given);
    return arguments;
  }

  static JsonNode json(Path report) throws IOException {
    return new ObjectMapper().readTree(report.toFile());
  }

  HoldfastRun requireDone() {
    return requireExit(0);
  }

  HoldfastRun requireExit(int expected) {
    if (exitCode != expected) {
      throw new AssertionError(
          "exit code " + exitCode + ", expected " + expected + "\n" + out + "\n" + err);
    }
    return this;
  }
}
