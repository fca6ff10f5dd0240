package io.holdfast.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whole jobs through the command line, all nodes in this process. */
class OneProcessTest {
  private static final int ROWS = 4000;

  @TempDir private Path directory;

  @Test
  void shouldEndInTheSameBytesWhateverTheNumberOfServers() throws IOException {
    Path data = HoldfastRun.generate(directory, ROWS);
    String digest = null;
    for (int servers : new int[] {1, 3, 5}) {
      Path report = directory.resolve("report-" + servers);
      HoldfastRun.of(
              HoldfastRun.train(
                  data, report, "--servers", "" + servers, "--workers", "2", "--deterministic"))
          .requireDone();
      JsonNode json = HoldfastRun.json(report);
      assertEquals(
          ROWS, json.get("samples").asLong() + json.get("evalSamples").asLong(), "every line once");
      String now = json.get("modelDigest").asText();
      assertEquals(digest == null ? now : digest, now, servers + " servers");
      digest = now;
    }
    Path other = directory.resolve("report-other");
    HoldfastRun.of(
            HoldfastRun.train(
                data, other, "--servers", "3", "--workers", "2", "--deterministic", "--seed", "6"))
        .requireDone();
    assertTrue(!digest.equals(HoldfastRun.json(other).get("modelDigest").asText()), "another seed");
  }

  @Test
  void shouldEndInTheSameBytesWhateverIsRedundant() throws IOException {
    Path data = HoldfastRun.generate(directory, 2000);
    String digest = null;
    for (String redundancy :
        new String[] {
          "none",
          "ecrm --code xor --k 4",
          "ecrm --code rs --k 2 --r 2 --witness --set delta.packing=on",
          "ecrm --code sum --k 2 --nn-replicas 0",
          "ecrm --code xor --k 1"
        }) {
      Path report = directory.resolve("report");
      String options =
          "--servers 5 --workers 2 --deterministic --optimizer adagrad --redundancy " + redundancy;
      HoldfastRun.of(HoldfastRun.train(data, report, options.split(" "))).requireDone();
      String now = HoldfastRun.json(report).get("modelDigest").asText();
      assertEquals(digest == null ? now : digest, now, redundancy);
      digest = now;
    }
  }

  @Test
  void shouldTrainTheSameModelWithBothDenseEngines() throws IOException {
    Path data = HoldfastRun.generate(directory, 2000);
    double[] losses = new double[2];
    String[] engines = {"nd4j", "dl4j"};
    for (int i = 0; i < engines.length; i++) {
      Path report = directory.resolve(engines[i]);
      HoldfastRun.of(
              HoldfastRun.train(
                  data, report, "--deterministic", "--set", "dense.engine=" + engines[i]))
          .requireDone();
      losses[i] = HoldfastRun.json(report).get("logLoss").asDouble();
    }
    assertEquals(losses[0], losses[1], 1e-3);
  }

  @Test
  void shouldSaveAModelThatScoresAsItDidWhenItWasTrained() throws IOException {
    Path data = HoldfastRun.generate(directory, ROWS);
    Path held = HoldfastRun.generate(directory, 1000);
    Path model = directory.resolve("model");
    Path report = directory.resolve("train.json");
    HoldfastRun.of(
            HoldfastRun.train(
                data,
                report,
                "--servers",
                "3",
                "--workers",
                "2",
                "--eval",
                held.toString(),
                "--save",
                model.toString()))
        .requireDone();
    Path evalReport = directory.resolve("eval.json");
    HoldfastRun.of(
            "eval",
            "--model",
            model.toString(),
            "--data",
            held.toString(),
            "--report",
            evalReport.toString())
        .requireDone();
    JsonNode trained = HoldfastRun.json(report);
    JsonNode evaluated = HoldfastRun.json(evalReport);
    assertEquals(trained.get("modelDigest"), evaluated.get("modelDigest"));
    assertEquals(trained.get("auc"), evaluated.get("auc"));
    assertEquals(trained.get("logLoss"), evaluated.get("logLoss"));

    HoldfastRun predicted =
        HoldfastRun.of("predict", "--model", model.toString(), "--data", held.toString())
            .requireDone();
    assertEquals(1000, predicted.out().lines().count());
    predicted
        .out()
        .lines()
        .mapToDouble(Double::parseDouble)
        .forEach(p -> assertTrue(p > 0 && p < 1));
  }

  @Test
  void shouldTrainFromACacheWhatItTrainsFromTheFile() throws IOException {
    Path data = HoldfastRun.generate(directory, ROWS);
    Path cache = directory.resolve("cache");
    HoldfastRun.of("preprocess", "--data", data.toString(), "--out", cache.toString())
        .requireDone();
    Path report = directory.resolve("report");
    HoldfastRun.of(
            HoldfastRun.train(
                data, report, "--workers", "2", "--set", "data.cache=" + cache, "--epochs", "2"))
        .requireDone();
    JsonNode json = HoldfastRun.json(report);
    assertEquals(2 * ROWS * 9 / 10, json.get("samples").asLong());
    assertEquals(ROWS / 10, json.get("evalSamples").asLong());
  }

  @Test
  void shouldStopAfterSoManyIterations() throws IOException {
    Path data = HoldfastRun.generate(directory, ROWS);
    Path report = directory.resolve("report");
    HoldfastRun.of(HoldfastRun.train(data, report, "--workers", "2", "--iterations", "37"))
        .requireDone();
    assertEquals(37, HoldfastRun.json(report).get("iterations").asLong());
  }

  @Test
  void shouldRunEveryOptimizerAndEveryWayOfWaiting() throws IOException {
    Path data = HoldfastRun.generate(directory, 1000);
    String[][] settings = {
      {"sgd", "async"}, {"momentum", "bounded"}, {"rowwise-adagrad", "sync"}, {"adam", "async"}
    };
    for (String[] each : settings) {
      Path report = directory.resolve(each[0]);
      HoldfastRun.of(
              HoldfastRun.train(
                  data,
                  report,
                  "--servers",
                  "2",
                  "--workers",
                  "2",
                  "--optimizer",
                  each[0],
                  "--set",
                  "sync=" + each[1]))
          .requireDone();
      JsonNode json = HoldfastRun.json(report);
      assertEquals(1000, json.get("samples").asLong() + json.get("evalSamples").asLong(), each[0]);
    }
  }

  @Test
  void shouldNameTheLineThatIsBadAndEndWithThree() throws IOException {
    Path data = HoldfastRun.generate(directory, 1000);
    Files.writeString(data, "1\tnonsense\n", StandardOpenOption.APPEND);
    Path good = HoldfastRun.generate(directory, 500);
    HoldfastRun failed =
        HoldfastRun.of(
                HoldfastRun.train(data, directory.resolve("report"), "--eval", good.toString()))
            .requireExit(3);
    assertTrue(failed.err().contains("line 1001"), failed.err());

    Path report = directory.resolve("skipping");
    HoldfastRun.of(
            HoldfastRun.train(
                data, report, "--eval", good.toString(), "--set", "data.bad-lines=skip"))
        .requireDone();
    assertEquals(1, HoldfastRun.json(report).get("badLines").asLong());
    assertEquals(1000, HoldfastRun.json(report).get("samples").asLong());
  }

  @Test
  void shouldStopAtALossThatIsNotFiniteAndNameTheStep() {
    Path data = HoldfastRun.generate(directory, 1000);
    HoldfastRun failed =
        HoldfastRun.of(
                HoldfastRun.train(
                    data,
                    directory.resolve("report"),
                    "--optimizer",
                    "sgd",
                    "--learning-rate",
                    "1e30"))
            .requireExit(1);
    assertTrue(failed.err().contains("step "), failed.err());
    assertTrue(failed.err().contains("not finite"), failed.err());
  }

  @Test
  void shouldRefuseASettingThatThereIsNotAndSuggestOne() {
    Path data = HoldfastRun.generate(directory, 100);
    HoldfastRun refused =
        HoldfastRun.of(
                HoldfastRun.train(data, directory.resolve("report"), "--set", "learning.rat=0.1"))
            .requireExit(2);
    assertTrue(refused.err().contains("learning.rate"), refused.err());
  }
}
