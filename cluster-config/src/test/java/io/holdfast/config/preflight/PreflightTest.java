package io.holdfast.config.preflight;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.config.job.CommitMode;
import io.holdfast.config.job.DataSpec;
import io.holdfast.config.job.JobSpec;
import io.holdfast.config.job.LearningRate;
import io.holdfast.config.job.Redundancy;
import io.holdfast.config.job.SyncMode;
import io.holdfast.config.model.OptimizerKind;
import io.holdfast.config.model.OptimizerSpec;
import io.holdfast.config.model.Presets;
import io.holdfast.config.transport.AeronSettings;
import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PreflightTest {
  private static final long GIB = 1L << 30;
  private static final Map<String, String> GOOD_ENVIRONMENT =
      Map.of("OMP_WAIT_POLICY", "PASSIVE", "OMP_NUM_THREADS", "1");
  private static final HostFacts GOOD =
      new HostFacts(
          25,
          true,
          true,
          true,
          8,
          64 * GIB,
          "/dev/shm",
          32 * GIB,
          4 << 20,
          4 << 20,
          20_000,
          "tsc",
          1_790_000_000_000L,
          GOOD_ENVIRONMENT,
          List.of());

  @TempDir Path root;

  private static JobSpec job(int servers, int k, int r) {
    return job(servers, r == 0 ? Redundancy.NONE : Redundancy.of("xor", k, r));
  }

  private static JobSpec job(int servers, Redundancy redundancy) {
    return new JobSpec(
        Presets.named(Presets.names().getFirst()),
        OptimizerSpec.of(OptimizerKind.MOMENTUM),
        LearningRate.constant(0.1f),
        1,
        servers,
        2,
        redundancy,
        CommitMode.TWO_PHASE,
        65_536,
        128,
        SyncMode.ASYNC,
        0,
        false,
        2,
        "nd4j",
        1,
        64 << 20,
        1_000_000_000L,
        256 << 10,
        new DataSpec(List.of("a"), List.of(), false, 0, ""));
  }

  private static PreflightRequest request(AeronSettings aeron) {
    return new PreflightRequest(
        job(5, 4, 1), 5, 2, 7, 512 << 20, Optional.ofNullable(aeron), List.of());
  }

  private static CheckResult check(String name, PreflightRequest request, HostFacts host) {
    return Preflight.run(request, host).stream()
        .filter(result -> result.name().equals(name))
        .findFirst()
        .orElseThrow();
  }

  private static void assertOnlyThisDiffers(
      String name, CheckStatus status, HostFacts host, String adviceHas) {
    PreflightRequest request = request(AeronSettings.udp("127.0.0.1", 0));
    for (CheckResult result : Preflight.run(request, host)) {
      if (result.name().equals(name)) {
        assertEquals(status, result.status(), result.toString());
        assertTrue(result.advice().contains(adviceHas), result.toString());
      } else {
        assertEquals(CheckStatus.OK, result.status(), result.toString());
      }
    }
  }

  private static HostFacts with(UnaryOperator<Facts> change) {
    return change.apply(new Facts()).build();
  }

  /** A good host of which single facts can be spoiled. */
  private static final class Facts {
    private int java = GOOD.javaVersion();
    private boolean open = true;
    private boolean vector = true;
    private boolean nativeAccess = true;
    private int cores = GOOD.cores();
    private long memory = GOOD.memoryAvailableBytes();
    private long shared = GOOD.sharedMemoryFreeBytes();
    private long receive = GOOD.receiveBufferMaxBytes();
    private long send = GOOD.sendBufferMaxBytes();
    private long files = GOOD.openFilesMax();
    private String clock = GOOD.clockSource();
    private Map<String, String> environment = GOOD_ENVIRONMENT;
    private List<String> busy = List.of();

    HostFacts build() {
      return new HostFacts(
          java,
          open,
          vector,
          nativeAccess,
          cores,
          memory,
          "/dev/shm",
          shared,
          receive,
          send,
          files,
          clock,
          GOOD.wallClockMillis(),
          environment,
          busy);
    }
  }

  private static UnaryOperator<Facts> set(java.util.function.Consumer<Facts> setter) {
    return facts -> {
      setter.accept(facts);
      return facts;
    };
  }

  @Test
  void shouldBeContentWithAGoodHost() {
    for (AeronSettings aeron :
        new AeronSettings[] {AeronSettings.ipc(), AeronSettings.udp("127.0.0.1", 0), null}) {
      List<CheckResult> results = Preflight.run(request(aeron), GOOD);
      assertEquals(12, results.size());
      for (CheckResult result : results) {
        assertEquals(CheckStatus.OK, result.status(), result.toString());
        assertEquals("", result.advice());
      }
    }
  }

  private static PreflightRequest redundant(Redundancy redundancy) {
    return new PreflightRequest(
        job(6, redundancy), 6, 2, 8, 512 << 20, Optional.empty(), List.of());
  }

  @Test
  void shouldCountWhatRedundancyTakes() {
    PreflightRequest none = redundant(Redundancy.NONE);
    MemoryForecast plain = MemoryForecast.of(none);
    assertEquals(0, plain.redundancy());
    assertTrue(check("redundancy", none, GOOD).found().contains("none"));
    Redundancy two = Redundancy.of("rs", 4, 2).withWindowBytes(1 << 20);
    MemoryForecast coded = MemoryForecast.of(redundant(two));
    double share = (double) coded.parity() / coded.tables();
    assertTrue(share > 0.5 && share < 0.55, "r / k and a counter for each member: " + share);
    assertEquals(2 * coded.nn(), coded.nnReplicas());
    assertEquals(0, coded.witness());
    assertEquals(6L << 20, coded.streams());
    MemoryForecast witnessed = MemoryForecast.of(redundant(two.withWitness(true)));
    assertEquals(2 * witnessed.staged(), witnessed.witness());
    assertEquals(witnessed.total() - coded.total(), witnessed.witness());
    String found = check("redundancy", redundant(two), GOOD).found();
    assertTrue(found.contains("rs, k = 4, r = 2, 2 replicas of the NN"), found);
    assertTrue(found.contains(Bytes.of(coded.parity())), found);
  }

  @Test
  void shouldSayWhatToDoAboutJava() {
    assertOnlyThisDiffers("java", CheckStatus.FAIL, with(set(f -> f.java = 21)), "JDK 25");
    assertOnlyThisDiffers(
        "java-flags", CheckStatus.FAIL, with(set(f -> f.open = false)), "--add-opens");
    assertOnlyThisDiffers(
        "java-flags", CheckStatus.FAIL, with(set(f -> f.vector = false)), "--add-modules");
    assertOnlyThisDiffers(
        "java-flags", CheckStatus.WARN, with(set(f -> f.nativeAccess = false)), "native-access");
  }

  @Test
  void shouldSayWhatToDoAboutCoresFilesPortsAndClock() {
    assertOnlyThisDiffers("cores", CheckStatus.WARN, with(set(f -> f.cores = 7)), "8 cores");
    assertOnlyThisDiffers("open-files", CheckStatus.FAIL, with(set(f -> f.files = 256)), "ulimit");
    assertOnlyThisDiffers("open-files", CheckStatus.WARN, with(set(f -> f.files = -1)), "least");
    assertOnlyThisDiffers(
        "ports", CheckStatus.FAIL, with(set(f -> f.busy = List.of("tcp 7000: busy"))), "ss -lnptu");
    assertOnlyThisDiffers("clock", CheckStatus.WARN, with(set(f -> f.clock = "hpet")), "faster");
  }

  @Test
  void shouldSayWhatToDoAboutMemory() {
    long needed = MemoryForecast.of(request(AeronSettings.udp("127.0.0.1", 0))).total();
    assertOnlyThisDiffers(
        "memory", CheckStatus.FAIL, with(set(f -> f.memory = needed - 1)), "missing");
    assertOnlyThisDiffers(
        "memory", CheckStatus.WARN, with(set(f -> f.memory = needed + 10)), "tenth");
    assertOnlyThisDiffers("memory", CheckStatus.WARN, with(set(f -> f.memory = -1)), "yourself");
    assertOnlyThisDiffers(
        "shared-memory", CheckStatus.FAIL, with(set(f -> f.shared = 64 << 20)), "--shm-size");
    assertOnlyThisDiffers(
        "shared-memory", CheckStatus.WARN, with(set(f -> f.shared = 700_000_000)), "remount");
  }

  @Test
  void shouldSayWhatToDoAboutSocketBuffers() {
    assertOnlyThisDiffers(
        "udp-buffers", CheckStatus.FAIL, with(set(f -> f.receive = 212_992)), "rmem_max=2097152");
    assertOnlyThisDiffers(
        "udp-buffers", CheckStatus.WARN, with(set(f -> f.receive = 3 << 19)), "rmem_max=2097152");
    assertOnlyThisDiffers(
        "udp-buffers", CheckStatus.WARN, with(set(f -> f.send = 212_992)), "wmem_max=2097152");
    HostFacts poor = with(set(f -> f.receive = 1));
    assertEquals(CheckStatus.OK, check("udp-buffers", request(AeronSettings.ipc()), poor).status());
  }

  @Test
  void shouldSayWhatToDoAboutBlas() {
    for (Map<String, String> bad :
        List.of(
            Map.of(
                "OPENBLAS_CORETYPE",
                "Haswell",
                "OMP_WAIT_POLICY",
                "PASSIVE",
                "OMP_NUM_THREADS",
                "1"),
            Map.of("OPENBLAS_L2_SIZE", "1", "OMP_WAIT_POLICY", "passive", "OMP_NUM_THREADS", "1"),
            Map.of("OMP_NUM_THREADS", "1"),
            Map.of("OMP_WAIT_POLICY", "PASSIVE", "OMP_NUM_THREADS", "16"))) {
      assertOnlyThisDiffers(
          "blas", CheckStatus.WARN, with(set(f -> f.environment = bad)), "scripts/holdfast");
    }
    PreflightRequest serversOnly =
        new PreflightRequest(job(5, 4, 1), 5, 0, 5, GIB, Optional.empty(), List.of());
    assertEquals(
        CheckStatus.OK,
        check("blas", serversOnly, with(set(f -> f.environment = Map.of()))).status());
  }

  @Test
  void shouldRefuseJobsThatCannotBePlaced() {
    PreflightRequest request =
        new PreflightRequest(job(4, 4, 1), 4, 2, 6, GIB, Optional.empty(), List.of());
    CheckResult result = check("placement", request, GOOD);
    assertEquals(CheckStatus.FAIL, result.status());
    assertTrue(result.found().contains("at least 5 servers"), result.toString());
  }

  @Test
  void shouldForecastWhatEveryRowCosts() {
    JobSpec job = job(5, 4, 1);
    MemoryForecast forecast = MemoryForecast.of(request(null));
    long stride = job.rowLayout().strideBytes();
    long rows = job.model().totalRows();
    assertTrue(forecast.tables() >= rows * (stride + 4), forecast.toString());
    assertTrue(forecast.tables() < rows * (stride + 4) * 1.01, forecast.toString());
    assertEquals(5 * job.stripeMap().parityCapacity() * (stride + 2 * 4), forecast.parity());
    assertEquals(5L * (64 << 20), forecast.staged());
    assertEquals(7L * (512 << 20), forecast.heaps());
    assertEquals(0, forecast.links());
    assertTrue(forecast.nn() > 0 && forecast.workers() > 0);
    // 5 servers and 2 workers with a reader: 2 * 5 * 3 logs, and 5 * 4 between servers.
    assertEquals(
        AeronSettings.ipc().sharedMemoryBytes(1, 50),
        MemoryForecast.of(request(AeronSettings.ipc())).links());
  }

  @Test
  void shouldReadThisHost() throws IOException {
    InetAddress loopback = InetAddress.getLoopbackAddress();
    try (ServerSocket tcp = new ServerSocket(0);
        DatagramSocket udp = new DatagramSocket(new InetSocketAddress(loopback, 0))) {
      PreflightRequest request =
          new PreflightRequest(
              job(5, 4, 1),
              1,
              1,
              1,
              GIB,
              Optional.of(AeronSettings.udp("127.0.0.1", udp.getLocalPort())),
              List.of(0, tcp.getLocalPort()));
      HostFacts facts = new HostReader(Path.of("/")).read(request);
      assertTrue(facts.javaVersion() >= 25);
      assertTrue(facts.internalMiscOpen() && facts.vectorModule() && facts.nativeAccess());
      assertTrue(facts.cores() >= 1 && facts.memoryAvailableBytes() > 0);
      assertTrue(facts.sharedMemoryFreeBytes() > 0, facts.toString());
      assertEquals(2, facts.busyPorts().size(), facts.busyPorts().toString());
      assertEquals(CheckStatus.FAIL, check("ports", request, facts).status());
      assertEquals(
          Preflight.run(request).stream().map(CheckResult::name).toList(),
          Preflight.run(request, facts).stream().map(CheckResult::name).toList());
    }
  }

  @Test
  void shouldReadProc() throws IOException {
    write("proc/meminfo", "MemTotal: 99 kB\nMemFree: 1 kB\nMemAvailable:    1234 kB\n");
    write("proc/sys/net/core/rmem_max", "212992\n");
    write("proc/sys/net/core/wmem_max", "what?\n");
    write("proc/self/limits", "Limit  Soft  Hard\nMax open files   1024   4096   files\n");
    write("sys/devices/system/clocksource/clocksource0/current_clocksource", "hpet\n");
    HostFacts facts = new HostReader(root).read(request(null));
    assertEquals(1234L << 10, facts.memoryAvailableBytes());
    assertEquals(212_992, facts.receiveBufferMaxBytes());
    assertEquals(HostFacts.UNKNOWN, facts.sendBufferMaxBytes());
    assertEquals(1024, facts.openFilesMax());
    assertEquals("hpet", facts.clockSource());
    write("proc/self/limits", "Max open files   unlimited   unlimited   files\n");
    assertEquals(Long.MAX_VALUE, new HostReader(root).read(request(null)).openFilesMax());
  }

  @Test
  void shouldCallUnknownWhatTheSystemDoesNotTell() {
    HostFacts facts = new HostReader(root).read(request(null));
    assertEquals(HostFacts.UNKNOWN, facts.receiveBufferMaxBytes());
    assertEquals(HostFacts.UNKNOWN, facts.openFilesMax());
    assertEquals("", facts.clockSource());
  }

  private void write(String file, String content) throws IOException {
    Path path = root.resolve(file);
    Files.createDirectories(path.getParent());
    Files.writeString(path, content);
  }
}
