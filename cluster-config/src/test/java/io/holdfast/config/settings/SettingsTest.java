package io.holdfast.config.settings;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.config.job.CommitMode;
import io.holdfast.config.job.JobSpec;
import io.holdfast.config.job.Packing;
import io.holdfast.config.job.Redundancy;
import io.holdfast.config.job.SyncMode;
import io.holdfast.config.model.Interaction;
import io.holdfast.config.model.OptimizerKind;
import io.holdfast.config.transport.AeronSettings;
import io.holdfast.config.transport.ChannelKind;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SettingsTest {
  @TempDir Path directory;

  private static Settings with(String... assignments) {
    return Settings.load(
        List.of(), Stream.of(assignments).map(SettingOverride::ofAssignment).toList());
  }

  private static JobSpec job(String... assignments) {
    return with(assignments).jobSpec(List.of("a.tsv"), 2);
  }

  private static List<String> problems(String... assignments) {
    return assertThrows(SettingsException.class, () -> with(assignments)).problems();
  }

  private Path file(String name, String text) throws Exception {
    return Files.writeString(directory.resolve(name), text);
  }

  @Test
  void shouldTakeDefaultsFromTheReference() {
    JobSpec job = Settings.defaults().jobSpec(List.of("a.tsv"), 3);
    assertEquals("kaggle", job.model().name());
    assertEquals(16, job.model().dim());
    assertEquals(OptimizerKind.SGD, job.optimizer().kind());
    assertEquals(0.1f, job.learningRate().base());
    assertEquals(2048, job.batch());
    assertEquals(SyncMode.ASYNC, job.sync());
    assertEquals(32768, job.nnShardFloats());
    assertEquals(3, job.denseThreads());
    assertEquals(256L << 20, job.stagedBytesMax());
    assertEquals(1_000_000_000L, job.retryNanos());
    assertEquals(Redundancy.NONE, job.redundancy());
    assertEquals(List.of("a.tsv"), job.data().files());
    LaunchSettings launch = Settings.defaults().launch();
    assertEquals(1, launch.epochs());
    assertEquals(0, launch.iterations());
    assertEquals(0.1, launch.input().holdout());
    assertEquals(0, launch.input().badLineLimit());
    assertEquals(Optional.empty(), launch.transport().link());
    assertEquals(LinkKind.IPC, launch.transport().linkOr(LinkKind.IPC));
    assertEquals(8192, launch.transport().mtuBytes());
  }

  @Test
  void shouldTakeRedundancyOnlyWhereItIsAskedFor() {
    assertEquals(Redundancy.NONE, job("k=2", "r=2", "code=rs").redundancy());
    assertEquals(
        Redundancy.of("xor", 4, 1).withWindowBytes(64 << 20).withScrub(1000),
        job("redundancy=ecrm", "cluster.servers=5").redundancy());
    assertEquals(
        new Redundancy("rs", 2, 2, 0, true, 1 << 20, Packing.ON, 0, 128L << 20),
        job(
                "redundancy=ecrm",
                "cluster.servers=4",
                "k=2",
                "r=2",
                "code=rs",
                "nn.replicas=0",
                "commit.witness=true",
                "delta.window.bytes=1MiB",
                "delta.packing=on",
                "scrub.rate=0")
            .redundancy());
    assertEquals(CommitMode.ONE_PHASE, job("commit=one-phase").commit());
  }

  @Test
  void shouldReadEveryKeyThatTheReferenceNames() {
    assertEquals(List.of(), Settings.keysInVain());
  }

  @Test
  void shouldShowEveryKeyWithItsEffectiveValue() {
    Settings settings = with("deterministic=true", "batch=64");
    assertEquals(SettingsReference.keys(), List.copyOf(settings.values().keySet()));
    assertEquals("64", settings.values().get("batch"));
    assertEquals("sync", settings.values().get("sync"));
    assertEquals(1, settings.values().get("window"));
  }

  @Test
  void shouldPreferOptionsToAssignmentsToLaterFilesToEarlierFiles() throws Exception {
    Path first = file("a.conf", "batch = 1\nseed = 1\nepochs = 1\nk = 1\n");
    Path second = file("b.conf", "batch = 2, seed = 2, epochs = 2");
    Settings settings =
        Settings.load(
            List.of(first, second),
            List.of(
                SettingOverride.ofAssignment("batch=3"),
                SettingOverride.ofAssignment("seed = 3"),
                new SettingOverride("batch", "4", "--batch")));
    JobSpec job = settings.jobSpec(List.of(), 1);
    assertEquals(4, job.batch());
    assertEquals(3, job.seed());
    assertEquals(2, settings.launch().epochs());
  }

  @Test
  void shouldReadAFileInTheFormOfTheReference() throws Exception {
    Path file =
        file(
            "c.conf",
            """
            learning { rate = 0.5, decay { start = 10, iterations = 20 } }
            transport { term.bytes = 1MiB, window.bytes = 512KiB }
            message.bytes.max = 128k
            nn.shard.floats = 1000
            data.paths = [ "a b.tsv", "c,d.tsv" ]
            retry = 250ms
            deterministic = on
            """);
    Settings settings = Settings.load(List.of(file), List.of());
    JobSpec job = settings.jobSpec(List.of(), 1);
    assertEquals(0.5f, job.learningRate().base());
    assertEquals(10, job.learningRate().decayStart());
    assertEquals(128 << 10, job.messageBytesMax());
    assertEquals(250_000_000L, job.retryNanos());
    assertTrue(job.deterministic());
    assertEquals(List.of("a b.tsv", "c,d.tsv"), settings.launch().input().paths());
  }

  @Test
  void shouldBuildTheModelThatScalesAndCapsAskFor() {
    JobSpec job =
        job("tables.scale=2", "max.rows.per.table=1000", "dim.scale=2", "model.interaction=cat");
    assertEquals(32, job.model().dim());
    assertEquals(Interaction.CAT, job.model().interaction());
    assertEquals(1000, job.model().tables().get(0).rows());
    assertEquals(610, job.model().tables().get(4).rows());
  }

  @Test
  void shouldMakeDeterministicJobsSynchronousWithAWindowOfOne() {
    JobSpec job = job("deterministic=true");
    assertEquals(SyncMode.SYNC, job.sync());
    assertEquals(1, job.window());
    assertEquals(1, job("sync=sync").window());
    assertEquals(3, job("sync=bounded").window());
    assertTrue(job("deterministic=true", "window=1", "sync=sync").deterministic());
  }

  @Test
  void shouldLetIterationsReplaceEpochs() {
    LaunchSettings launch = with("iterations=50").launch();
    assertEquals(0, launch.epochs());
    assertEquals(50, launch.iterations());
  }

  @Test
  void shouldShareCoresBetweenTheWorkersOfAHost() {
    assertEquals(4, Settings.threadsPerWorker(8, 2));
    assertEquals(1, Settings.threadsPerWorker(2, 5));
    assertEquals(7, job("dense.threads=7").denseThreads());
  }

  @Test
  void shouldTakeLongSeedsExactly() {
    assertEquals(Long.MAX_VALUE, job("seed=9223372036854775807").seed());
    assertEquals(Long.MIN_VALUE, job("seed=-9223372036854775808").seed());
  }

  @ParameterizedTest
  @CsvSource({
    "bacth, batch",
    "max-rows-per-table, max.rows.per.table",
    "model.tables.scale, tables.scale",
    "optimizer, optimizer.name",
    "servers, cluster.servers",
    "data.badlines, data.bad-lines",
    "Redundancy, redundancy",
  })
  void shouldSuggestTheNearestKey(String wrong, String right) {
    List<String> problems = problems(wrong + "=1");
    assertEquals(1, problems.size(), problems::toString);
    assertEquals(
        "unknown setting '%s' (from --set); did you mean '%s'?".formatted(wrong, right),
        problems.getFirst());
  }

  @Test
  void shouldNotSuggestWhatIsFar() {
    assertEquals(
        List.of("unknown setting 'quux.frobnicate' (from --set)"), problems("quux.frobnicate=1"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "batch=0 | batch = 0 (from --set): must be from 1 to 16777216",
        "batch=many | batch = many (from --set): must be a whole number from 1 to 16777216",
        "batch=1.5 | must be a whole number",
        "seed=99999999999999999999 | must be a whole number",
        "learning.rate=-1 | must be a number above 0",
        "learning.rate=NaN | must be a number above 0",
        "learning.rate=1e300 | must be a number above 0",
        "optimizer.momentum=1 | from 0 to below 1",
        "deterministic=maybe | must be true or false",
        "optimizer.name=adgrad | must be one of sgd, momentum, adagrad, rowwise-adagrad, adam; did"
            + " you mean 'adagrad'?",
        "model.preset=kagle | did you mean 'kaggle'?",
        "model.interaction=dots | must be one of preset, dot, cat, sum; did you mean 'dot'?",
        "staged.bytes.max=lots | must be a size such as 16MiB",
        "staged.bytes.max=1k | must be from 1048576 to",
        "retry=soon | must be a duration such as",
        "retry=0s | must be longer than 0",
        "transport.term.bytes=100000 | must be a power of two",
        "transport.mtu.bytes=1500 | must be a multiple of 32",
        "message.bytes.max=4MiB | must be at most an eighth of transport.term.bytes, 524288",
        "message.bytes.max=64KiB | must be at least 135168 to hold a shard of nn.shard.floats ="
            + " 32768",
        "transport.window.bytes=4MiB | must be from transport.mtu.bytes = 8192 to half of"
            + " transport",
        "transport.driver=external | needs transport.aeron.dir",
        "tables.scale=1000 | the table of C3 would have",
        "data.holdout=1 | from 0 to 0.9",
        "cluster.seeds=nowhere | 'nowhere' must be host:port",
        "cluster.port=70000 | must be from 0 to 65535",
        "redundancy=checkpoint | this version has no checkpoints; use none or ecrm",
        "nn.replicas=two | must be auto or a whole number from 0, but is 'two'",
        "delta.window.bytes=1k | must be from 65536 to",
        "data.bad-lines-limit=5 | is only for data.bad-lines = skip",
      })
  void shouldNameKeyValueAndRemedyOfABadValue(String assignment, String expected) {
    List<String> problems = problems(assignment);
    String problem = problems.getFirst();
    String key = assignment.substring(0, assignment.indexOf('='));
    String value = assignment.substring(assignment.indexOf('=') + 1);
    assertTrue(problem.startsWith(key + " = " + value + " (from --set): "), problem);
    assertTrue(problem.contains(expected), problem);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "deterministic=true sync=async | deterministic = true needs sync = sync",
        "deterministic=true window=3 | deterministic = true needs window = 1",
        "sync=sync window=2 | sync = sync needs window = 1",
        "iterations=5 epochs=2 | excludes epochs",
        "cluster.processes=true transport.link=memory | memory reaches one process only",
        "redundancy=ecrm cluster.servers=4 | k = 4 and r = 1 need at least 5 servers",
        "redundancy=ecrm cluster.servers=9 r=2 | xor has one parity; r = 2 needs code = rs",
        "redundancy=ecrm cluster.servers=5 nn.replicas=5 | 5 backups and the primary need 6"
            + " servers",
        "deterministic=true commit=one-phase | deterministic = true needs commit = two-phase",
        "k=200 r=100 | k + r must be at most 255",
      })
  void shouldRefuseSettingsThatContradictOneAnother(String assignments, String expected) {
    List<String> problems = problems(assignments.split(" "));
    assertTrue(problems.stream().anyMatch(p -> p.contains(expected)), problems::toString);
  }

  @Test
  void shouldListAllThatIsWrong() {
    assertEquals(3, problems("batch=0", "epohcs=1", "cluster.workers=-1").size());
  }

  @Test
  void shouldSayWhereInAFileABadValueStands() throws Exception {
    Path file = file("bad.conf", "seed = 1\nbatch = 0\n");
    SettingsException e =
        assertThrows(SettingsException.class, () -> Settings.load(List.of(file), List.of()));
    assertTrue(e.getMessage().contains("bad.conf: 2)"), e.getMessage());
  }

  @Test
  void shouldRefuseFilesThatAreMissingOrBroken() throws Exception {
    Path missing = directory.resolve("missing.conf");
    Path broken = file("broken.conf", "batch = [1\n");
    Path nothing = file("null.conf", "batch = null\n");
    Path nested = file("nested.conf", "batch { size = 3 }\n");
    SettingsException e =
        assertThrows(
            SettingsException.class,
            () -> Settings.load(List.of(missing, broken, nothing, nested), List.of()));
    assertEquals(4, e.problems().size(), e.getMessage());
    assertTrue(e.problems().get(0).endsWith("missing.conf: there is no such file"));
    assertTrue(e.problems().get(1).contains("broken.conf: cannot be read"));
    assertTrue(e.problems().get(2).contains("batch.size"), e.getMessage());
    assertTrue(e.problems().get(3).contains("batch = null"), e.getMessage());
  }

  @Test
  void shouldRefuseAssignmentsWithoutKeyOrValue() {
    assertThrows(SettingsException.class, () -> SettingOverride.ofAssignment("batch"));
    assertThrows(SettingsException.class, () -> SettingOverride.ofAssignment("=3"));
    assertEquals("a=b", SettingOverride.ofAssignment("x = a=b").value());
  }

  @Test
  void shouldSetUpAeronFromTheDefaultsForEveryLinkThatNeedsIt() {
    TransportSettings transport = Settings.defaults().launch().transport();
    AeronSettings udp = transport.aeron(LinkKind.UDP, "10.0.0.1");
    assertEquals(ChannelKind.UDP, udp.channel());
    assertEquals("10.0.0.1", udp.bindHost());
    assertTrue(udp.embeddedDriver());
    int longest = Settings.defaults().jobSpec(List.of(), 1).messageBytesMax();
    assertTrue(udp.maxFrameBytes() >= longest, () -> udp.maxFrameBytes() + " < " + longest);
    TransportSettings external =
        with("transport.driver=external", "transport.aeron.dir=/dev/shm/d").launch().transport();
    AeronSettings ipc = external.aeron(LinkKind.IPC, "");
    assertEquals(ChannelKind.IPC, ipc.channel());
    assertEquals("/dev/shm/d", ipc.directory());
    assertFalse(ipc.embeddedDriver());
    assertThrows(IllegalArgumentException.class, () -> transport.aeron(LinkKind.MEMORY, ""));
  }

  @Test
  void shouldGiveEveryKeyAComment() {
    SettingsReference.get()
        .defaults()
        .forEach((key, value) -> assertFalse(value.origin().comments().isEmpty(), key));
  }

  /** {@code mvn -pl cluster-config test -Dholdfast.docs.write=true} writes the page anew. */
  @Test
  void shouldMatchTheDocumentedConfiguration() throws Exception {
    Path page = Path.of("..", "docs", "configuration.md");
    if (Boolean.getBoolean("holdfast.docs.write")) {
      Files.writeString(page, SettingsReference.markdown());
    }
    assertEquals(SettingsReference.markdown(), Files.readString(page));
  }
}
