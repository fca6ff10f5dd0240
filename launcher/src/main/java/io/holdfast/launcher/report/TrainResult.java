package io.holdfast.launcher.report;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonUnwrapped;
import java.util.List;

/**
 * What training a model came to.
 *
 * @param samples trained, each pass over the data counted
 * @param iterations of all workers together
 * @param seconds from the first iteration's start to the last one's end
 * @param quality on held-out data
 * @param badLines malformed lines that were left out
 * @param modelDigest SHA-256, hexadecimal, over all rows, optimizer state and dense parameters in
 *     canonical order
 * @param bytes over the data plane
 * @param memory of the servers
 * @param phases of the workers
 * @param faults survived
 */
public record TrainResult(
    long samples,
    long iterations,
    double seconds,
    @JsonUnwrapped Quality quality,
    long badLines,
    String modelDigest,
    Bytes bytes,
    Memory memory,
    Phases phases,
    List<Fault> faults) {

  public TrainResult {
    faults = List.copyOf(faults);
  }

  @JsonProperty
  public double samplesPerSecond() {
    return samples / seconds;
  }
}
