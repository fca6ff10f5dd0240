package io.holdfast.config.preflight;

import java.util.List;
import java.util.Map;

/**
 * What a host and this JVM are like. Sizes are {@link #UNKNOWN} where the system does not tell.
 *
 * @param javaVersion feature number of the JVM, for instance 25
 * @param internalMiscOpen whether {@code jdk.internal.misc} is open to Aeron and Agrona
 * @param vectorModule whether {@code jdk.incubator.vector} is there
 * @param nativeAccess whether native memory may be used without warnings
 * @param cores processors that this JVM may use
 * @param memoryAvailableBytes that can be taken without swapping; at most the container's limit
 * @param sharedMemoryPath where shared memory is, or what stands in for it
 * @param sharedMemoryFreeBytes free space there
 * @param receiveBufferMaxBytes {@code net.core.rmem_max}
 * @param sendBufferMaxBytes {@code net.core.wmem_max}
 * @param openFilesMax file descriptors that a process may have
 * @param clockSource the kernel's clock; empty if unknown
 * @param wallClockMillis since 1970
 * @param environment variables that the JVM was started with
 * @param busyPorts why each of the asked ports cannot be used, for instance {@code tcp 7000: ...}
 */
public record HostFacts(
    int javaVersion,
    boolean internalMiscOpen,
    boolean vectorModule,
    boolean nativeAccess,
    int cores,
    long memoryAvailableBytes,
    String sharedMemoryPath,
    long sharedMemoryFreeBytes,
    long receiveBufferMaxBytes,
    long sendBufferMaxBytes,
    long openFilesMax,
    String clockSource,
    long wallClockMillis,
    Map<String, String> environment,
    List<String> busyPorts) {
  /** The system does not tell. */
  public static final long UNKNOWN = -1;

  public HostFacts {
    environment = Map.copyOf(environment);
    busyPorts = List.copyOf(busyPorts);
  }
}
