package io.holdfast.benchmarks;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.holdfast.launcher.Main;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** A directory that lasts as long as a benchmark, and {@code holdfast} commands that use it. */
final class Workspace implements AutoCloseable {
  private final Path directory;

  Workspace() throws IOException {
    directory = Files.createTempDirectory("holdfast-bench");
  }

  Path directory() {
    return directory;
  }

  Path file(String name) {
    return directory.resolve(name);
  }

  /** Generates rows, the same each time. */
  Path generate(long rows, String name) {
    Path file = file(name);
    run(List.of("generate", "--rows", "" + rows, "--seed", "1", "--out", file.toString()));
    return file;
  }

  /**
   * Trains.
   *
   * @param arguments of {@code train} but for the report
   * @return the report
   */
  JsonNode train(List<String> arguments) throws IOException {
    Path report = file("report.json");
    List<String> all = new ArrayList<>(List.of("train"));
    all.addAll(arguments);
    all.addAll(List.of("--report", report.toString()));
    run(all);
    return new ObjectMapper().readTree(report.toFile());
  }

  private static void run(List<String> arguments) {
    StringWriter said = new StringWriter();
    PrintWriter writer = new PrintWriter(said, true);
    int code = Main.create().run(writer, writer, arguments.toArray(String[]::new));
    if (code != 0) {
      throw new IllegalStateException(
          String.join(" ", arguments) + " ended with exit code " + code + ": " + said);
    }
  }

  @Override
  public void close() throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }
}
