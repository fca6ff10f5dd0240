package io.holdfast.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.holdfast.launcher.Main;
import io.holdfast.launcher.process.ChildJvm;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/** Failures that the launcher injects into real processes, and what the report tells of them. */
class FaultsTest {
  private static final List<String> JOB =
      List.of("--servers", "4", "--deterministic", "--redundancy", "ecrm", "--k", "2", "--verify");

  @TempDir private Path directory;

  private Path data;

  /** What the last job's processes printed. */
  private String said;

  private JsonNode train(String name, String... more) throws IOException {
    Path report = directory.resolve(name);
    List<String> arguments = new ArrayList<>(JOB);
    arguments.addAll(List.of(more));
    PrintStream before = System.err;
    ByteArrayOutputStream processes = new ByteArrayOutputStream();
    System.setErr(new PrintStream(processes, true, StandardCharsets.UTF_8));
    try {
      HoldfastRun.of(HoldfastRun.train(data, report, arguments.toArray(String[]::new)))
          .requireDone();
    } finally {
      System.setErr(before);
      said = processes.toString(StandardCharsets.UTF_8);
      before.print(said);
    }
    return HoldfastRun.json(report);
  }

  private static void assertSame(JsonNode expected, JsonNode actual) {
    assertEquals(expected.get("modelDigest"), actual.get("modelDigest"));
    assertEquals(expected.get("samples"), actual.get("samples"));
    assertEquals(0, actual.get("verify").get("wrong").asLong());
  }

  /** Bit for bit: pauses and cuts pass, and a server dies between commit and effect. */
  @Test
  @EnabledIfSystemProperty(named = "holdfast.tests.long", matches = "true")
  void shouldEndInTheSameBytesWhateverPassesAndWhoeverIsKilledInTheMiddleOfACommit()
      throws IOException {
    data = HoldfastRun.generate(directory, 20_000);
    JsonNode whole = train("whole", "--epochs", "3");
    String kill = "kill:owner-of-row=7@iteration=150,phase=committing";
    JsonNode failed =
        train(
            "failed",
            "--epochs",
            "3",
            "--processes",
            "--fault",
            "pause:server-0:700ms@iteration=20",
            "--fault",
            "cut:server-0-server-3:1500ms@iteration=60",
            "--fault",
            kill);
    assertSame(whole, failed);
    List<JsonNode> faults = new ArrayList<>();
    failed.get("faults").forEach(faults::add);
    assertEquals(3, faults.size(), faults::toString);
    assertEquals("pause", faults.get(0).get("event").asText());
    assertTrue(faults.get(0).get("detectedMillis").isNull(), "a short pause is no death");
    assertEquals("cut", faults.get(1).get("event").asText());
    assertEquals("server-0-server-3", faults.get(1).get("node").asText());
    JsonNode killed = faults.get(2);
    assertEquals("server-died", killed.get("event").asText());
    assertEquals(kill, killed.get("spec").asText());
    assertTrue(killed.get("detectedMillis").asDouble() > 0);
    assertTrue(
        killed.get("firstCommitMillis").asDouble() > killed.get("detectedMillis").asDouble());
    assertTrue(killed.get("rowsDegraded").asLong() > 0);
    assertTrue(killed.get("throughputBefore").asDouble() > 0);
    assertTrue(killed.get("throughputDuring").asDouble() > 0);
  }

  /** The one that everybody believed dead wakes up with a head full of old transactions. */
  @Test
  void shouldRefuseAServerThatComesBackAfterOthersTookOver() throws IOException {
    data = HoldfastRun.generate(directory, 20_000);
    JsonNode whole = train("whole", "--epochs", "12");
    JsonNode returned =
        train(
            "returned",
            "--epochs",
            "12",
            "--processes",
            "--set",
            "cluster.failure.pause=1s",
            "--fault",
            "pause:server-2:9s@iteration=100,phase=applying");
    assertSame(whole, returned);
    JsonNode fault = returned.get("faults").get(0);
    assertEquals(1, returned.get("faults").size(), returned.get("faults")::toString);
    assertEquals("server-died", fault.get("event").asText());
    assertTrue(fault.get("detectedMillis").asDouble() < 9000, fault::toString);
    assertFalse(fault.get("firstCommitMillis").isNull());
    assertTrue(
        Pattern.compile("declared (it )?dead").matcher(said).find(),
        () -> "the one that returned says why it ends: " + said);
  }

  @Test
  @EnabledIfSystemProperty(named = "holdfast.tests.long", matches = "true")
  void shouldFindARowThatWasDamaged() throws IOException {
    data = HoldfastRun.generate(directory, 20_000);
    Path report = directory.resolve("damaged");
    HoldfastRun damaged =
        HoldfastRun.of(
            HoldfastRun.train(
                data,
                report,
                "--servers",
                "3",
                "--redundancy",
                "ecrm",
                "--k",
                "2",
                "--processes",
                "--verify",
                "--set",
                "scrub.rate=0",
                "--fault",
                "corrupt:server-1@progress=1/2"));
    assertEquals(5, damaged.exitCode(), damaged.err());
    JsonNode json = HoldfastRun.json(report);
    assertEquals(1, json.get("verify").get("wrong").asLong());
    assertEquals("corrupt", json.get("faults").get(0).get("event").asText());
  }

  /** Nobody started it, nobody waits for silence: its port tells. */
  @Test
  void shouldNoticeTheEndOfAProcessThatItDidNotStart() throws Exception {
    data = HoldfastRun.generate(directory, 20_000);
    int port;
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = socket.getLocalPort();
    }
    Path report = directory.resolve("report");
    List<String> arguments =
        new ArrayList<>(
            HoldfastRun.train(
                data,
                report,
                "--servers",
                "3",
                "--redundancy",
                "ecrm",
                "--k",
                "2",
                "--epochs",
                "20",
                "--port",
                "" + port,
                "--set",
                "progress.interval=200ms",
                "--set",
                "cluster.failure.pause=60s"));
    arguments.set(0, "coordinator");
    arguments.removeAll(List.of("--seed", "5"));
    StringWriter err = new StringWriter();
    CompletableFuture<HoldfastRun> run =
        CompletableFuture.supplyAsync(
            () -> HoldfastRun.of(arguments, err), task -> Thread.ofPlatform().daemon().start(task));
    List<ChildJvm> children = new ArrayList<>();
    try {
      for (String role : List.of("server", "server", "server", "worker")) {
        children.add(
            ChildJvm.start(
                role,
                List.of("-Xmx512m"),
                Main.class,
                List.of(role, "--seed", "127.0.0.1:" + port, "--set", "cluster.failure.pause=60s"),
                Map.of(),
                System.err::println));
      }
      while (!run.isDone() && !err.toString().contains("AUC")) {
        Thread.sleep(20);
      }
      assertFalse(run.isDone(), () -> run.join().toString());
      children.get(1).kill();
      run.get().requireDone();
    } finally {
      children.forEach(ChildJvm::close);
    }
    JsonNode fault = HoldfastRun.json(report).get("faults").get(0);
    assertNotNull(fault, err::toString);
    assertEquals("server-died", fault.get("event").asText());
    assertTrue(fault.get("spec").isNull());
    assertFalse(fault.get("firstCommitMillis").isNull());
  }
}
