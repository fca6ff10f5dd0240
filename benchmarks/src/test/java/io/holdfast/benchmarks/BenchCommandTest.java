package io.holdfast.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.holdfast.launcher.Main;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Each benchmark at a tiny scale: that it runs and reports, not how fast. */
class BenchCommandTest {
  @TempDir private Path directory;

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int run(String... arguments) {
    return Main.create().run(new PrintWriter(out), new PrintWriter(err, true), arguments);
  }

  /** Runs a benchmark with a report and returns that. */
  private JsonNode report(String... arguments) throws Exception {
    Path json = directory.resolve("report.json");
    List<String> all = new ArrayList<>(List.of("bench"));
    all.addAll(Arrays.asList(arguments));
    all.addAll(List.of("--rounds", "2", "--json", json.toString()));
    assertEquals(0, run(all.toArray(String[]::new)), err::toString);
    return new ObjectMapper().readTree(json.toFile());
  }

  private static List<Double> medians(JsonNode report, String name) {
    List<Double> medians = new ArrayList<>();
    report
        .get("measurements")
        .forEach(
            measurement -> {
              if (measurement.get("name").asText().equals(name)) {
                medians.add(measurement.get("median").asDouble());
              }
            });
    return medians;
  }

  @Test
  void shouldListAllBenchmarks() {
    assertEquals(0, run("bench", "list"));
    for (String name : List.of("codec", "loader", "ps", "step", "train")) {
      assertTrue(out.toString().lines().anyMatch(line -> line.startsWith(name + " ")), name);
    }
  }

  @Test
  void shouldMeasureCodesBesideACopy() throws Exception {
    JsonNode report =
        report(
            "codec",
            "--code",
            "xor(2,1);rs(3,2)",
            "--size",
            "32k",
            "--millis",
            "5",
            "--forks",
            "0");
    assertEquals(1, medians(report, "copy").size());
    assertEquals(6, medians(report, "holdfast / copy").size());
    assertTrue(medians(report, "holdfast / copy").stream().allMatch(ratio -> ratio > 0));
  }

  @Test
  void shouldMeasureReading() throws Exception {
    JsonNode report = report("loader", "--rows", "300", "--batch", "64");
    assertEquals(7, medians(report, "lines").size());
    assertEquals(1, medians(report, "batches").size());
  }

  @Test
  void shouldMeasurePullAndPushAgainstServersInProcessesAndThreads() throws Exception {
    JsonNode report =
        report(
            "ps",
            "--servers",
            "2",
            "--dim",
            "16",
            "--link",
            "ipc,memory",
            "--redundancy",
            "none,ecrm",
            "--size",
            "16k",
            "--table",
            "256k",
            "--batches",
            "4",
            "--millis",
            "20");
    assertEquals(4, medians(report, "pull / plain gather").size());
    assertTrue(medians(report, "push p99").stream().allMatch(micros -> micros > 0));
  }

  @Test
  void shouldMeasureTheDenseStepBesideItsGemms() throws Exception {
    JsonNode report =
        report("step", "--preset", "kaggle", "--batch", "16", "--threads", "1", "--steps", "1");
    assertEquals(1, medians(report, "step / gemms").size());
  }

  @Test
  void shouldMeasureTrainingWithItsPhasesAndAllocation() throws Exception {
    JsonNode report =
        report(
            "train",
            "--preset",
            "kaggle",
            "--max-rows-per-table",
            "50",
            "--rows",
            "400",
            "--batch",
            "32",
            "--iterations",
            "4",
            "--alloc");
    assertEquals(2, medians(report, "train").size());
    assertEquals(2, medians(report, "phase dense").size());
    assertEquals(2, medians(report, "allocated").size());
    assertEquals(1, medians(report, "ecrm / none").size());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "codec --code rs(4)        | --code rs(4): must be like",
        "codec --code xor(4,2)     | must be 1",
        "codec --size 3q           | write 4096, 32k, 8m or 1g",
        "codec --operation recode  | must be one of encode, decode, update",
        "step --preset none        | must be one of kaggle",
        "train --redundancy raid   | must be one of none, ecrm",
        "loader --rows 0           | must be at least 1",
        "loader --rounds 0         | must be at least 1",
        "loader --json /no/x.json  | there is no directory /no",
      })
  void shouldSayWhatIsWrongWithAnOption(String arguments, String expected) {
    String[] all = ("bench " + arguments.strip()).split(" ");
    assertEquals(2, run(all));
    assertTrue(err.toString().contains(expected), err::toString);
  }

  @Test
  void shouldReportTheKeysThatAreDocumented() throws Exception {
    JsonNode report = report("loader", "--rows", "50");
    Set<String> reported = new TreeSet<>();
    collect("", report, reported);
    assertEquals(documented(), reported);
  }

  private static void collect(String prefix, JsonNode node, Set<String> keys) {
    node.properties()
        .forEach(
            entry -> {
              String key = prefix + entry.getKey();
              JsonNode value = entry.getValue();
              if (value.isArray() && !value.isEmpty() && value.get(0).isObject()) {
                value.forEach(element -> collect(key + "[].", element, keys));
              } else if (value.isObject() && !key.endsWith("parameters") && !value.isEmpty()) {
                collect(key + ".", value, keys);
              } else {
                keys.add(key);
              }
            });
  }

  /** First cells of the table of keys. */
  private static Set<String> documented() throws Exception {
    String page = Files.readString(Path.of("..", "docs", "benchmarks.md"));
    int start = page.indexOf("| key | meaning |");
    assertTrue(start >= 0, "docs/benchmarks.md has no table of keys");
    String table = page.substring(start, page.indexOf("\n\n", start));
    Set<String> keys = new TreeSet<>();
    Matcher matcher = Pattern.compile("(?m)^\\| `([^|]*)` \\|").matcher(table);
    while (matcher.find()) {
      keys.addAll(Arrays.asList(matcher.group(1).split("`, `")));
    }
    return keys;
  }
}
