package io.holdfast.launcher.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReportTest {
  private static final Provenance PROVENANCE =
      Provenance.of(List.of("train", "--data", "a b"), Map.of("batch", 64));
  private static final VerifyResult VERIFIED =
      new VerifyResult(
          1,
          2,
          3,
          4,
          5,
          6,
          7,
          8,
          List.of(
              new VerifyResult.WrongPart("row", 1, Optional.of(2), Optional.of(3L), 4),
              new VerifyResult.WrongPart("stripe", 1, Optional.empty(), Optional.empty(), 4)));
  private static final TrainReport TRAIN =
      new TrainReport(
          new TrainResult(
              1000,
              10,
              4,
              new Quality(100, 0.7, 0.5, 0.9, 0.8),
              2,
              "0a",
              new Bytes(1, 2, 3, 4),
              new Memory(5, 6, 7),
              new RedundancyCost(1, 2, 3, 4, 5, 6, 7, 8),
              new Phases(1.5, 2, 3, 4, 5),
              List.of(
                  new Fault(
                      "worker-died",
                      "worker-1",
                      3.5,
                      Optional.of("kill:worker-1@time=3500ms"),
                      60,
                      Double.NaN,
                      Double.NaN,
                      Optional.empty(),
                      Optional.empty(),
                      100,
                      90,
                      Double.NaN)),
              Optional.of(VERIFIED)),
          Optional.of(new Planted(0.8, 0.4)),
          PROVENANCE);
  private static final EvaluationReport EVAL =
      new EvaluationReport(new EvaluationResult(2, Quality.none(), 0, "0a"), PROVENANCE);
  private static final GenerateReport GENERATE =
      new GenerateReport(
          1, 0, 200, 0.1, new Planted(Double.NaN, 0.3), new Planted(0.8, 0.3), PROVENANCE);

  private static final VerifyReport VERIFY =
      new VerifyReport(
          Optional.of(VERIFIED),
          Optional.of(new ModelVerifyResult("m", 1, 2, 3, "0a", Optional.of("damaged"))),
          PROVENANCE);
  private static final String VERIFY_KEYS =
      " verify.seconds verify.parities verify.rows verify.nnReplicas verify.wrong verify.located"
          + " verify.repaired verify.deviation verify.wrongMembers verify.wrongMembers[].kind"
          + " verify.wrongMembers[].index verify.wrongMembers[].position"
          + " verify.wrongMembers[].row verify.wrongMembers[].server";

  private static final String COMMON =
      " version commit commandLine startedAt settings settings.batch"
          + " machine.cpu machine.cores machine.memoryBytes machine.os machine.java";

  private static JsonNode json(Object report) {
    try {
      return new ObjectMapper().readTree(ReportFile.toJson(report));
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private static Set<String> keys(Object report) {
    Set<String> keys = new TreeSet<>();
    collect("", json(report), keys);
    return keys;
  }

  private static void collect(String path, JsonNode node, Set<String> keys) {
    if (node.isObject()) {
      node.properties()
          .forEach(
              field ->
                  collect(
                      path.isEmpty() ? field.getKey() : path + "." + field.getKey(),
                      field.getValue(),
                      keys));
    } else if (node.isArray() && !node.isEmpty() && node.get(0).isObject()) {
      keys.add(path);
      node.forEach(element -> collect(path + "[]", element, keys));
    } else {
      keys.add(path);
    }
  }

  private static Set<String> set(String words) {
    return new TreeSet<>(List.of(words.strip().split(" +")));
  }

  @Test
  void shouldKeepTheKeysOfATrainingReport() {
    assertEquals(
        set(
            "samples iterations seconds samplesPerSecond evalSamples auc logLoss normalizedEntropy"
                + " accuracy badLines modelDigest bytes.pull bytes.push bytes.delta bytes.nnReplica"
                + " memory.tables memory.redundancy memory.stagedPeak"
                + " redundancy.unacknowledgedBytesPeak redundancy.unacknowledgedSecondsMax"
                + " redundancy.recordsBytesPeak redundancy.tailBytesPeak"
                + " redundancy.witnessBytesPeak redundancy.scrubbedStripes redundancy.scrubWrong"
                + " redundancy.scrubRepaired phases.read phases.pull phases.dense"
                + " phases.push phases.wait faults faults[].event faults[].node faults[].atSeconds"
                + " faults[].spec faults[].detectedMillis faults[].firstCommitMillis"
                + " faults[].rebuiltMillis faults[].rowsDegraded faults[].bytesRebuilt"
                + " faults[].throughputBefore faults[].throughputDuring faults[].throughputAfter"
                + " planted.auc planted.logLoss"
                + VERIFY_KEYS
                + COMMON.replace(" settings settings", " settings")),
        keys(TRAIN));
  }

  @Test
  void shouldKeepTheKeysOfAnEvaluationReport() {
    assertEquals(
        set(
            "samples evalSamples seconds samplesPerSecond auc logLoss normalizedEntropy accuracy"
                + " badLines modelDigest"
                + COMMON.replace(" settings settings", " settings")),
        keys(EVAL));
  }

  @Test
  void shouldKeepTheKeysOfAVerification() {
    assertEquals(
        set(
            "model.directory model.seconds model.rows model.bytes model.modelDigest model.problem"
                + VERIFY_KEYS
                + COMMON.replace(" settings settings", " settings")),
        keys(VERIFY));
  }

  @Test
  void shouldKeepTheKeysOfAGenerationReport() {
    assertEquals(
        set(
            "rows clicks fileBytes seconds planted.auc planted.logLoss expected.auc"
                + " expected.logLoss"
                + COMMON.replace(" settings settings", " settings")),
        keys(GENERATE));
  }

  @Test
  void shouldDocumentEveryKeyAndNoOther() throws IOException {
    Set<String> documented = new TreeSet<>();
    for (String row : Files.readAllLines(Path.of("..", "docs", "report.md"))) {
      if (row.startsWith("| `")) {
        Matcher key = Pattern.compile("`([^`]+)`").matcher(row.substring(0, row.indexOf(" |")));
        while (key.find()) {
          documented.add(key.group(1));
        }
      }
    }
    Set<String> written = keys(TRAIN);
    written.addAll(keys(EVAL));
    written.addAll(keys(GENERATE));
    written.addAll(keys(VERIFY));
    written.remove("settings.batch");
    written.add("settings");
    assertEquals(written, documented);
  }

  @Test
  void shouldWriteValuesAsTheyAre() {
    JsonNode report = json(TRAIN);
    assertEquals(250, report.get("samplesPerSecond").asDouble());
    assertEquals(5, report.get("phases").get("wait").asDouble());
    assertEquals("worker-1", report.get("faults").get(0).get("node").asText());
    assertEquals("kill:worker-1@time=3500ms", report.get("faults").get(0).get("spec").asText());
    assertTrue(report.get("faults").get(0).get("firstCommitMillis").isNull());
    assertEquals("a b", report.get("commandLine").get(2).asText());
    assertEquals(64, report.get("settings").get("batch").asInt());
    assertTrue(report.get("machine").get("cores").asInt() >= 1);
    assertTrue(report.get("machine").get("memoryBytes").asLong() > 0);
  }

  @Test
  void shouldWriteNullForWhatIsNoNumber() {
    JsonNode report = json(EVAL);
    for (String key : List.of("auc", "logLoss", "normalizedEntropy", "accuracy", "commit")) {
      assertTrue(report.has(key) && report.get(key).isNull(), key);
    }
    assertTrue(json(GENERATE).get("planted").get("auc").isNull());
    TrainReport instant =
        new TrainReport(
            new TrainResult(
                0,
                0,
                0,
                Quality.none(),
                0,
                "",
                new Bytes(0, 0, 0, 0),
                new Memory(0, 0, 0),
                new RedundancyCost(0, 0, 0, 0, 0, 0, 0, 0),
                new Phases(0, 0, 0, 0, 0),
                List.of(),
                Optional.empty()),
            Optional.empty(),
            PROVENANCE);
    assertTrue(json(instant).get("samplesPerSecond").isNull());
    assertTrue(json(instant).get("planted").isNull());
    assertEquals(0, json(instant).get("faults").size());
  }

  @Test
  void shouldReplaceAReportAsAWhole(@TempDir Path directory) throws IOException {
    Path file = directory.resolve("r.json");
    Files.writeString(file, "an older report that is quite long".repeat(1000));
    ReportFile.write(file, TRAIN);
    assertEquals(ReportFile.toJson(TRAIN) + "\n", Files.readString(file));
    try (var files = Files.list(directory)) {
      assertEquals(1, files.count(), "no temporary file is left");
    }
  }
}
