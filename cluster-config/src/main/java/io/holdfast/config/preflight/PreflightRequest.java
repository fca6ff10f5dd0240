package io.holdfast.config.preflight;

import io.holdfast.config.job.JobSpec;
import io.holdfast.config.transport.AeronSettings;
import java.util.List;
import java.util.Optional;

/**
 * What is to run on this host.
 *
 * @param job the whole job
 * @param serversHere servers of the job that run on this host
 * @param workersHere workers of the job that run on this host
 * @param jvmsHere JVMs that run on this host
 * @param heapBytes largest heap of each of them
 * @param aeron the links' settings; empty where all nodes share one JVM
 * @param tcpPorts ports that will be listened on; 0 stands for any and is not checked
 */
public record PreflightRequest(
    JobSpec job,
    int serversHere,
    int workersHere,
    int jvmsHere,
    long heapBytes,
    Optional<AeronSettings> aeron,
    List<Integer> tcpPorts) {
  public PreflightRequest {
    tcpPorts = List.copyOf(tcpPorts);
    if (serversHere < 0 || workersHere < 0 || jvmsHere < 1 || heapBytes < 0) {
      throw new IllegalArgumentException(
          serversHere
              + " servers and "
              + workersHere
              + " workers in "
              + jvmsHere
              + " JVMs of "
              + heapBytes
              + " bytes");
    }
  }
}
