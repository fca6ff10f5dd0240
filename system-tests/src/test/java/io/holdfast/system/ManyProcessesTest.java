package io.holdfast.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Pattern;
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
    Running running = start(data, report, "--servers", "2", "--workers", "2", "--epochs", "6");
    running.kill("worker", 1);
    running.run.get().requireDone();
    JsonNode json = HoldfastRun.json(report);
    // Six passes over what is not held out, each line once in each.
    assertEquals(6L * (rows - json.get("evalSamples").asLong()), json.get("samples").asLong());
    assertEquals("worker-1", json.get("faults").get(0).get("node").asText());
  }

  @Test
  void shouldSayWhatIsLostWhenAServerIsKilledAndEndWithFour() throws Exception {
    Path data = HoldfastRun.generate(directory, 60_000);
    Running running = start(data, directory.resolve("report"), "--servers", "2", "--epochs", "50");
    running.kill("server", 1);
    HoldfastRun lost = running.run.get().requireExit(4);
    assertTrue(lost.err().contains("server-1"), lost.err());
  }

  /** Bit for bit what the same job ends in when nobody is killed. */
  @Test
  void shouldEndInTheSameBytesWithoutAServerThatIsKilled() throws Exception {
    Path data = HoldfastRun.generate(directory, 20_000);
    String[] job = {
      "--servers", "4", "--deterministic", "--redundancy", "ecrm", "--k", "2", "--epochs", "3"
    };
    Path whole = directory.resolve("whole");
    HoldfastRun.of(HoldfastRun.train(data, whole, job)).requireDone();
    List<String> verified = new ArrayList<>(List.of(job));
    verified.add("--verify");
    Path report = directory.resolve("report");
    Running running = start(data, report, verified.toArray(String[]::new));
    running.kill("server", 2);
    running.run.get().requireDone();
    JsonNode json = HoldfastRun.json(report);
    assertEquals("server-2", json.get("faults").get(0).get("node").asText());
    assertEquals(HoldfastRun.json(whole).get("modelDigest"), json.get("modelDigest"));
    assertEquals(HoldfastRun.json(whole).get("samples"), json.get("samples"));
    assertEquals(0, json.get("verify").get("wrong").asLong());
    assertTrue(json.get("verify").get("parities").asLong() > 0);
  }

  private static Running start(Path data, Path report, String... more) {
    List<String> arguments = new ArrayList<>(List.of(more));
    arguments.addAll(List.of("--processes", "--set", "progress.interval=200ms"));
    StringWriter err = new StringWriter();
    List<String> train = HoldfastRun.train(data, report, arguments.toArray(String[]::new));
    // In a thread of its own: the job must not depend on what else the common pool does.
    return new Running(
        CompletableFuture.supplyAsync(
            () -> HoldfastRun.of(train, err), task -> Thread.ofPlatform().daemon().start(task)),
        err);
  }

  /** A job under way and what it says meanwhile. */
  private record Running(CompletableFuture<HoldfastRun> run, StringWriter err) {
    /** Samples were trained, and more than one progress line has told so. */
    private static final Pattern TRAINS =
        Pattern.compile("training [1-9][^\n]*\n[^\n]*training [1-9]");

    /** Kills a child of this process, started by this run, in the middle of training. */
    void kill(String role, int index) throws InterruptedException {
      while (!run.isDone()) {
        Optional<ProcessHandle> child = child(role, index);
        if (child.isPresent() && TRAINS.matcher(err.toString()).find()) {
          assertTrue(child.get().destroyForcibly());
          return;
        }
        Thread.sleep(20);
      }
      throw new AssertionError(
          "the job ended before " + role + "-" + index + " could be killed: " + err);
    }

    private static Optional<ProcessHandle> child(String role, int index) {
      return ProcessHandle.current()
          .children()
          .filter(handle -> arguments(handle).contains(role + " --child --index " + index + " "))
          .findFirst();
    }

    /** From /proc, because {@link ProcessHandle.Info} cuts long command lines. */
    private static String arguments(ProcessHandle handle) {
      try {
        return Files.readString(Path.of("/proc", "" + handle.pid(), "cmdline")).replace('\0', ' ');
      } catch (IOException e) {
        return ""; // It has just ended.
      }
    }
  }
}
