package io.holdfast.launcher.report;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonUnwrapped;
import java.util.List;
import java.util.Optional;

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
 * @param redundancy what it cost
 * @param phases of the workers
 * @param faults survived
 * @param verify whether redundancy holds what it should, if that was asked for
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
    RedundancyCost redundancy,
    Phases phases,
    List<Fault> faults,
    Optional<VerifyResult> verify) {

  public TrainResult {
    faults = List.copyOf(faults);
  }

  @JsonProperty
  public double samplesPerSecond() {
    return samples / seconds;
  }
}
