package io.holdfast.launcher.report;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * Where something ran.
 *
 * @param cpu its model
 * @param cores that this process may use
 * @param memoryBytes of the machine or, in a container, of that
 * @param os name and version
 * @param java version of the runtime
 */
public record Machine(String cpu, int cores, long memoryBytes, String os, String java) {
  /** This machine. */
  public static Machine current() {
    long memoryBytes =
        ManagementFactory.getOperatingSystemMXBean()
                instanceof com.sun.management.OperatingSystemMXBean system
            ? system.getTotalMemorySize()
            : 0;
    return new Machine(
        cpuModel(),
        Runtime.getRuntime().availableProcessors(),
        memoryBytes,
        System.getProperty("os.name") + " " + System.getProperty("os.version"),
        Runtime.version().toString());
  }

  private static String cpuModel() {
    Path cpuInfo = Path.of("/proc/cpuinfo");
    if (Files.isReadable(cpuInfo)) {
      try (Stream<String> lines = Files.lines(cpuInfo)) {
        return lines
            .filter(line -> line.startsWith("model name"))
            .map(line -> line.substring(line.indexOf(':') + 1).strip())
            .findFirst()
            .orElse(System.getProperty("os.arch"));
      } catch (IOException | java.io.UncheckedIOException e) {
        return System.getProperty("os.arch");
      }
    }
    return System.getProperty("os.arch");
  }
}
