package io.holdfast.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whole jobs on real processes; some are killed. */
class ManyProcessesTest {
  @TempDir private Path directory;

  @Test
  void shouldEndInTheSameBytesAsOneProcess() throws IOException {
    Path data = HoldfastRun.generate(directory, 2000);
    String[] digests = new String[2];
    for (int i = 0; i < 2; i++) {
      Path report = directory.resolve("report-" + i);
      HoldfastRun.of(
              HoldfastRun.train(
                  data,
                  report,
                  "--servers",
                  "2",
                  "--deterministic",
                  i == 0 ? "--processes" : "--no-processes"))
          .requireDone();
      digests[i] = HoldfastRun.json(report).get("modelDigest").asText();
    }
    assertEquals(digests[0], digests[1]);
  }

  @Test
  void shouldTrainEverySampleOnceThoughAWorkerIsKilled() throws Exception {
    int rows = 60_000;
    Path data = HoldfastRun.generate(directory, rows);
    Path report = directory.resolve("report");
    CompletableFuture<HoldfastRun> run =
        CompletableFuture.supplyAsync(
            () ->
                HoldfastRun.of(
                    HoldfastRun.train(
                        data,
                        report,
                        "--servers",
                        "2",
                        "--workers",
                        "2",
                        "--processes",
                        "--epochs",
                        "4")));
    kill(run, "worker", 1);
    run.get().requireDone();
    JsonNode json = HoldfastRun.json(report);
    // Four passes over what is not held out, each line once in each.
    assertEquals(4L * (rows - json.get("evalSamples").asLong()), json.get("samples").asLong());
    assertEquals("worker-1", json.get("faults").get(0).get("node").asText());
  }

  @Test
  void shouldSayWhatIsLostWhenAServerIsKilledAndEndWithFour() throws Exception {
    Path data = HoldfastRun.generate(directory, 60_000);
    Path report = directory.resolve("report");
    CompletableFuture<HoldfastRun> run =
        CompletableFuture.supplyAsync(
            () ->
                HoldfastRun.of(
                    HoldfastRun.train(
                        data, report, "--servers", "2", "--processes", "--epochs", "50")));
    kill(run, "server", 1);
    HoldfastRun lost = run.get().requireExit(4);
    assertTrue(lost.err().contains("server-1"), lost.err());
  }

  /** Kills a child of this process once it trains; it was started by the run that is under way. */
  private static void kill(CompletableFuture<HoldfastRun> run, String role, int index)
      throws InterruptedException {
    while (!run.isDone()) {
      Optional<ProcessHandle> child = child(role, index);
      Optional<ProcessHandle> worker = child("worker", 0);
      // A worker that has computed for a while is in the middle of its work.
      boolean trains =
          worker
              .flatMap(handle -> handle.info().totalCpuDuration())
              .map(cpu -> cpu.toMillis() > 9000)
              .orElse(false);
      if (child.isPresent() && trains) {
        assertTrue(child.get().destroyForcibly());
        return;
      }
      Thread.sleep(50);
    }
    throw new AssertionError("the job ended before " + role + "-" + index + " could be killed");
  }

  private static Optional<ProcessHandle> child(String role, int index) {
    return ProcessHandle.current()
        .children()
        .filter(
            handle ->
                handle
                    .info()
                    .commandLine()
                    .map(line -> line.contains(" " + role + " --child --index " + index + " "))
                    .orElse(false))
        .findFirst();
  }
}
