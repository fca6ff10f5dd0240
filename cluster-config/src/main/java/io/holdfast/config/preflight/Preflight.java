package io.holdfast.config.preflight;

import io.holdfast.config.job.JobSpec;
import io.holdfast.config.job.Redundancy;
import io.holdfast.config.transport.AeronSettings;
import io.holdfast.config.transport.ChannelKind;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Checks a host before anything starts there, so that what is missing is said at once and together
 * with what to do, and not met as a crash an hour later.
 */
public final class Preflight {
  private static final int JAVA_VERSION = 25;

  /** Files that a JVM of this kind has open by itself: jars, sockets of the control plane. */
  private static final long BASE_FILES = 512;

  /** Links, control connections and data files, for each other process of the job. */
  private static final long FILES_PER_PROCESS = 8;

  private static final Set<String> FAST_CLOCKS =
      Set.of("tsc", "kvm-clock", "hyperv_clocksource_tsc_page", "arch_sys_counter", "xen");

  private final PreflightRequest request;
  private final HostFacts host;
  private final List<CheckResult> results = new ArrayList<>();

  private Preflight(PreflightRequest request, HostFacts host) {
    this.request = request;
    this.host = host;
  }

  /** Checks this host. */
  public static List<CheckResult> run(PreflightRequest request) {
    return run(request, new HostReader(Path.of("/")).read(request));
  }

  /** Checks any host; does nothing but compare. */
  public static List<CheckResult> run(PreflightRequest request, HostFacts host) {
    Preflight preflight = new Preflight(request, host);
    preflight.checkAll();
    return List.copyOf(preflight.results);
  }

  private void checkAll() {
    checkJava();
    checkFlags();
    boolean placeable = checkPlacement();
    checkCores();
    if (placeable) {
      checkRedundancy();
      checkMemory();
      checkSharedMemory();
    }
    checkSocketBuffers();
    checkPorts();
    checkOpenFiles();
    checkClock();
    checkBlas();
  }

  private void ok(String name, String found) {
    results.add(CheckResult.ok(name, found));
  }

  private void warn(String name, String found, String advice) {
    results.add(CheckResult.warn(name, found, advice));
  }

  private void fail(String name, String found, String advice) {
    results.add(CheckResult.fail(name, found, advice));
  }

  private void checkJava() {
    String found = "JDK " + host.javaVersion();
    if (host.javaVersion() < JAVA_VERSION) {
      fail("java", found, "Run on JDK " + JAVA_VERSION + " or newer; set HOLDFAST_JAVA_HOME to it");
    } else {
      ok("java", found);
    }
  }

  private void checkFlags() {
    List<String> missing = new ArrayList<>();
    if (!host.internalMiscOpen()) {
      missing.add("--add-opens=java.base/jdk.internal.misc=ALL-UNNAMED");
    }
    if (!host.vectorModule()) {
      missing.add("--add-modules=jdk.incubator.vector");
    }
    if (!missing.isEmpty()) {
      String flags = String.join(" ", missing);
      fail("java-flags", "missing: " + flags, "Start with scripts/holdfast, or add " + flags);
    } else if (!host.nativeAccess()) {
      warn(
          "java-flags",
          "native access is not enabled",
          "Add --enable-native-access=ALL-UNNAMED: later JDKs will refuse without it");
    } else {
      ok("java-flags", "all there");
    }
  }

  private boolean checkPlacement() {
    JobSpec job = request.job();
    String code =
        "k = "
            + job.redundancy().k()
            + ", r = "
            + job.redundancy().r()
            + " on "
            + job.servers()
            + " servers";
    try {
      job.stripeMap();
      ok("placement", code);
      return true;
    } catch (IllegalArgumentException e) {
      fail("placement", e.getMessage(), "Add servers, or lower k or r");
      return false;
    }
  }

  private void checkCores() {
    JobSpec job = request.job();
    boolean links = request.aeron().isPresent();
    int wanted =
        request.serversHere() + request.workersHere() * job.denseThreads() + (links ? 1 : 0);
    String found =
        host.cores()
            + " cores for "
            + request.serversHere()
            + " servers, "
            + request.workersHere()
            + " workers of "
            + job.denseThreads()
            + " threads"
            + (links ? " and the media driver" : "");
    if (host.cores() < wanted) {
      warn("cores", found, "For full speed give it " + wanted + " cores, or start fewer processes");
    } else {
      ok("cores", found);
    }
  }

  private void checkRedundancy() {
    Redundancy redundancy = request.job().redundancy();
    if (!redundancy.isOn() && redundancy.nnReplicas() == 0) {
      ok("redundancy", "none: what a server holds is lost with it");
      return;
    }
    MemoryForecast forecast = MemoryForecast.of(request);
    ok(
        "redundancy",
        String.format(
            Locale.ROOT,
            "%s, k = %d, r = %d, %d replicas of the NN%s: takes %s at most here (parity %s, NN"
                + " replicas %s, witnesses %s, streams %s), beside %s of rows and NN; every update"
                + " of a row also goes to %d other server%s",
            redundancy.code(),
            redundancy.k(),
            redundancy.r(),
            redundancy.nnReplicas(),
            redundancy.witness() ? ", witnesses" : "",
            Bytes.of(forecast.redundancy()),
            Bytes.of(forecast.parity()),
            Bytes.of(forecast.nnReplicas()),
            Bytes.of(forecast.witness()),
            Bytes.of(forecast.streams()),
            Bytes.of(forecast.tables() + forecast.nn()),
            redundancy.r(),
            redundancy.r() == 1 ? "" : "s"));
  }

  private void checkMemory() {
    MemoryForecast forecast = MemoryForecast.of(request);
    long available = host.memoryAvailableBytes();
    if (available < 0) {
      warn("memory", forecast + " at most; how much there is is unknown", "Check it yourself");
      return;
    }
    String found = forecast + " at most; available " + Bytes.of(available);
    if (forecast.total() > available) {
      fail(
          "memory",
          found,
          "Use more or larger hosts, fewer servers here, smaller tables or heaps; "
              + Bytes.of(forecast.total() - available)
              + " are missing");
    } else if (forecast.total() > available / 10 * 9) {
      warn("memory", found, "Less than a tenth is left for the system; leave it more");
    } else {
      ok("memory", found);
    }
  }

  private void checkSharedMemory() {
    if (request.aeron().isEmpty()) {
      ok("shared-memory", "not used");
      return;
    }
    long needed = MemoryForecast.linkBytes(request);
    long free = host.sharedMemoryFreeBytes();
    String path = host.sharedMemoryPath();
    if (free < 0) {
      warn("shared-memory", "how much is free in " + path + " is unknown", "Check it yourself");
      return;
    }
    String found = Bytes.of(needed) + " needed, " + Bytes.of(free) + " free in " + path;
    String advice =
        "Enlarge it (mount -o remount,size="
            + needed * 3 / 2 / (1 << 20)
            + "m "
            + path
            + "; containers: --shm-size), or use shorter messages and terms";
    if (needed > free) {
      fail("shared-memory", found, advice);
    } else if (needed > free / 4 * 3) {
      warn("shared-memory", found, advice);
    } else {
      ok("shared-memory", found);
    }
  }

  private void checkSocketBuffers() {
    if (request.aeron().isEmpty() || request.aeron().get().channel() != ChannelKind.UDP) {
      ok("udp-buffers", "not used");
      return;
    }
    AeronSettings aeron = request.aeron().get();
    long receive = host.receiveBufferMaxBytes();
    long send = host.sendBufferMaxBytes();
    String found =
        "rmem_max "
            + receive
            + ", wmem_max "
            + send
            + "; asked for "
            + aeron.socketBufferBytes()
            + ", window "
            + aeron.windowBytes();
    String advice =
        String.format(
            Locale.ROOT,
            "sysctl -w net.core.rmem_max=%1$d net.core.wmem_max=%1$d, or ask for less",
            aeron.socketBufferBytes());
    if (receive < 0 || send < 0) {
      warn("udp-buffers", "limits of socket buffers are unknown", "Check them yourself");
    } else if (receive < aeron.windowBytes() || send < aeron.mtuBytes()) {
      fail("udp-buffers", found, advice);
    } else if (Math.min(receive, send) < aeron.socketBufferBytes()) {
      warn("udp-buffers", found, advice);
    } else {
      ok("udp-buffers", found);
    }
  }

  private void checkPorts() {
    if (host.busyPorts().isEmpty()) {
      ok("ports", "free");
    } else {
      fail(
          "ports",
          String.join("; ", host.busyPorts()),
          "Stop what uses them (ss -lnptu shows it), or choose other ports; 0 takes any free one");
    }
  }

  private void checkOpenFiles() {
    JobSpec job = request.job();
    long processes = (long) job.servers() + job.workers() + 1;
    long needed = BASE_FILES + FILES_PER_PROCESS * processes;
    long limit = host.openFilesMax();
    if (limit < 0) {
      warn("open-files", "the limit is unknown", "Let it be at least " + needed);
    } else if (limit < needed) {
      fail(
          "open-files",
          "limit " + limit + ", needed " + needed,
          "ulimit -n " + needed + " (or LimitNOFILE of the service)");
    } else {
      ok("open-files", limit == Long.MAX_VALUE ? "unlimited" : "limit " + limit);
    }
  }

  private void checkClock() {
    Instant now = Instant.ofEpochMilli(host.wallClockMillis());
    String source = host.clockSource().isEmpty() ? "unknown" : host.clockSource();
    String found = now + ", clock source " + source;
    if (!host.clockSource().isEmpty() && !FAST_CLOCKS.contains(host.clockSource())) {
      warn(
          "clock",
          found,
          "Reading this clock costs microseconds; choose a faster one of"
              + " /sys/devices/system/clocksource/clocksource0/available_clocksource");
    } else {
      ok("clock", found);
    }
  }

  private void checkBlas() {
    if (request.workersHere() == 0) {
      ok("blas", "no workers here");
      return;
    }
    Map<String, String> environment = host.environment();
    List<String> found = new ArrayList<>();
    List<String> advice = new ArrayList<>();
    for (String name : List.of("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")) {
      if (environment.containsKey(name)) {
        found.add(name + "=" + environment.get(name));
        advice.add("unset " + name);
      }
    }
    require(environment, "OMP_WAIT_POLICY", "PASSIVE", found, advice);
    // The dense engine has threads of its own: OpenMP's would come on top of each of them.
    require(environment, "OMP_NUM_THREADS", "1", found, advice);
    if (found.isEmpty()) {
      ok("blas", "environment as OpenBLAS needs it");
    } else {
      warn(
          "blas",
          String.join(", ", found),
          "Before the JVM starts (scripts/holdfast does it): "
              + String.join("; ", advice)
              + ". Else matrix products take two to five times as long");
    }
  }

  private static void require(
      Map<String, String> environment,
      String name,
      String value,
      List<String> found,
      List<String> advice) {
    String there = environment.get(name);
    if (!value.equalsIgnoreCase(there)) {
      found.add(there == null ? name + " not set" : name + "=" + there);
      advice.add("export " + name + "=" + value);
    }
  }
}
