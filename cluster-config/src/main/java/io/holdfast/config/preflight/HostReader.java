package io.holdfast.config.preflight;

import io.holdfast.config.transport.AeronSettings;
import io.holdfast.config.transport.ChannelKind;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Reads {@link HostFacts} off this host. */
final class HostReader {
  private final Path root;

  /**
   * A reader.
   *
   * @param root where {@code proc} and {@code sys} are: {@code /}
   */
  HostReader(Path root) {
    this.root = root;
  }

  HostFacts read(PreflightRequest request) {
    Path shared = sharedMemory(request);
    return new HostFacts(
        Runtime.version().feature(),
        Object.class
            .getModule()
            .isOpen("jdk.internal.misc", ClassLoader.getSystemClassLoader().getUnnamedModule()),
        ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent(),
        HostReader.class.getModule().isNativeAccessEnabled(),
        Runtime.getRuntime().availableProcessors(),
        memoryAvailableBytes(),
        shared.toString(),
        usableBytes(shared),
        number("proc/sys/net/core/rmem_max"),
        number("proc/sys/net/core/wmem_max"),
        openFilesMax(),
        line("sys/devices/system/clocksource/clocksource0/current_clocksource").orElse(""),
        System.currentTimeMillis(),
        System.getenv(),
        busyPorts(request));
  }

  private Path sharedMemory(PreflightRequest request) {
    String named = request.aeron().map(AeronSettings::directory).orElse("");
    Path shm = root.resolve("dev/shm");
    if (!named.isEmpty()) {
      return Path.of(named);
    }
    return Files.isWritable(shm) ? shm : Path.of(System.getProperty("java.io.tmpdir"));
  }

  /** Of the file system of the nearest directory that exists. */
  private static long usableBytes(Path path) {
    Path existing = path.toAbsolutePath();
    while (existing != null && !Files.exists(existing)) {
      existing = existing.getParent();
    }
    try {
      return existing == null ? HostFacts.UNKNOWN : Files.getFileStore(existing).getUsableSpace();
    } catch (IOException e) {
      return HostFacts.UNKNOWN;
    }
  }

  private long memoryAvailableBytes() {
    long available = HostFacts.UNKNOWN;
    for (String line : lines("proc/meminfo")) {
      if (line.startsWith("MemAvailable:")) {
        available = parse(line.replaceAll("[^0-9]", "")) << 10;
      }
    }
    if (ManagementFactory.getOperatingSystemMXBean()
        instanceof com.sun.management.OperatingSystemMXBean system) {
      long limit = system.getTotalMemorySize(); // The container's, if it has one.
      available = available < 0 ? system.getFreeMemorySize() : Math.min(available, limit);
    }
    return available;
  }

  private long openFilesMax() {
    for (String line : lines("proc/self/limits")) {
      if (line.startsWith("Max open files")) {
        String soft = line.substring("Max open files".length()).strip().split("\\s+", 2)[0];
        return soft.equals("unlimited") ? Long.MAX_VALUE : parse(soft);
      }
    }
    return HostFacts.UNKNOWN;
  }

  private static List<String> busyPorts(PreflightRequest request) {
    List<String> busy = new ArrayList<>();
    for (int port : request.tcpPorts()) {
      if (port != 0) {
        probe("tcp " + port, () -> new ServerSocket(port).close(), busy);
      }
    }
    request
        .aeron()
        .filter(aeron -> aeron.channel() == ChannelKind.UDP && aeron.port() != 0)
        .ifPresent(
            aeron ->
                probe(
                    "udp " + aeron.bindHost() + ":" + aeron.port(),
                    () -> {
                      InetAddress host = InetAddress.getByName(aeron.bindHost());
                      new DatagramSocket(new InetSocketAddress(host, aeron.port())).close();
                    },
                    busy));
    return busy;
  }

  private interface Probe {
    void run() throws IOException;
  }

  private static void probe(String name, Probe probe, List<String> busy) {
    try {
      probe.run();
    } catch (IOException | IllegalArgumentException e) {
      busy.add(name + ": " + e.getMessage());
    }
  }

  private long number(String file) {
    return line(file).map(HostReader::parse).orElse(HostFacts.UNKNOWN);
  }

  private static long parse(String number) {
    try {
      return Long.parseLong(number);
    } catch (NumberFormatException e) {
      return HostFacts.UNKNOWN;
    }
  }

  private Optional<String> line(String file) {
    return lines(file).stream().findFirst().map(String::strip);
  }

  private List<String> lines(String file) {
    try (Stream<String> lines = Files.lines(root.resolve(file))) {
      return lines.toList();
    } catch (IOException | RuntimeException e) {
      return List.of(); // Another system than Linux: what it does not tell is unknown.
    }
  }
}
