package io.holdfast.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is redundant is right: whole jobs through the command line. */
class VerifyTest {
  @TempDir private Path directory;

  private JsonNode trainAndVerify(Path data, String... settings) throws IOException {
    Path report = directory.resolve("report-" + System.nanoTime());
    List<String> more = new ArrayList<>(List.of("--redundancy", "ecrm", "--verify"));
    more.addAll(List.of("--set", "cluster.join.timeout=10m"));
    more.addAll(Arrays.asList(settings));
    HoldfastRun.of(HoldfastRun.train(data, report, more.toArray(String[]::new))).requireDone();
    return HoldfastRun.json(report);
  }

  private static void requireRight(JsonNode report, int r, int nnReplicas) {
    JsonNode verify = report.get("verify");
    assertEquals(0, verify.get("wrong").asLong(), verify.toString());
    assertTrue(verify.get("rows").asLong() > 1000, verify.toString());
    assertTrue(verify.get("parities").asLong() > r * 100L, verify.toString());
    assertEquals(nnReplicas > 0, verify.get("nnReplicas").asLong() > 0, verify.toString());
    assertTrue(report.get("bytes").get("delta").asLong() > 0);
    assertEquals(nnReplicas > 0, report.get("bytes").get("nnReplica").asLong() > 0);
    assertTrue(report.get("memory").get("redundancy").asLong() > 0);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--code xor --k 4",
        "--code xor --k 1 --commit one-phase",
        "--code rs --k 3 --r 2 --set delta.packing=on --optimizer adam --workers 2",
        "--code rs --k 2 --r 2 --witness --nn-replicas 0 --optimizer momentum",
        "--code sum --k 4 --deterministic"
      })
  void shouldFindNothingWrongAfterTraining(String settings) throws IOException {
    JsonNode report =
        trainAndVerify(
            HoldfastRun.generate(directory, 4000), ("--servers 5 " + settings).split(" "));
    int r = settings.contains("--r 2") ? 2 : 1;
    requireRight(report, r, settings.contains("--nn-replicas 0") ? 0 : r);
  }

  @Test
  void shouldFindNothingWrongInRunningProcesses() throws Exception {
    Path data = HoldfastRun.generate(directory, 40_000);
    int port;
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = free.getLocalPort();
    }
    StringWriter err = new StringWriter();
    CompletableFuture<JsonNode> trained =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return trainAndVerify(
                    data,
                    "--processes",
                    "--servers",
                    "4",
                    "--code",
                    "rs",
                    "--k",
                    "2",
                    "--r",
                    "2",
                    "--epochs",
                    "3",
                    "--set",
                    "cluster.failure.pause=30s",
                    "--set",
                    "cluster.port=" + port);
              } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
              }
            },
            task -> Thread.ofPlatform().daemon().start(task));
    Path report = directory.resolve("verify.json");
    List<String> verify =
        List.of(
            "verify",
            "--seed",
            "127.0.0.1:" + port,
            "--set",
            "cluster.join.timeout=10m",
            "--set",
            "cluster.failure.pause=30s",
            "--report",
            report.toString());
    // A cluster that has only just come up has no rows to compare yet.
    JsonNode found;
    do {
      HoldfastRun.of(verify, err).requireDone();
      found = HoldfastRun.json(report).get("verify");
      assertEquals(0, found.get("wrong").asLong(), found.toString());
    } while (found.get("parities").asLong() == 0 && !trained.isDone());
    assertTrue(found.get("parities").asLong() > 0, found.toString());
    requireRight(trained.get(), 2, 2);
  }

  @Test
  void shouldReadASavedModelToItsEnd() throws IOException {
    Path model = directory.resolve("model");
    Path data = HoldfastRun.generate(directory, 2000);
    HoldfastRun.of(HoldfastRun.train(data, directory.resolve("r"), "--save", model.toString()))
        .requireDone();
    Path report = directory.resolve("verify.json");
    String[] verify = {"verify", "--model", model.toString(), "--report", report.toString()};
    HoldfastRun.of(verify).requireDone();
    JsonNode right = HoldfastRun.json(report).get("model");
    assertTrue(right.get("problem").isNull(), right.toString());
    assertTrue(right.get("rows").asLong() > 1000, right.toString());

    Path rows = model.resolve("rows.bin");
    byte[] bytes = Files.readAllBytes(rows);
    bytes[bytes.length / 2] ^= 4;
    Files.write(rows, bytes);
    HoldfastRun damaged = HoldfastRun.of(verify).requireExit(5);
    assertTrue(damaged.out().contains("WRONG"), damaged.out());
    assertTrue(damaged.out().contains("rows.bin"), damaged.out());
    assertTrue(!HoldfastRun.json(report).get("model").get("problem").isNull());
    Files.delete(model.resolve("manifest.json"));
    HoldfastRun.of(verify).requireExit(5);
  }
}
