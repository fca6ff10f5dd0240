package io.holdfast.launcher.report;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonUnwrapped;

/**
 * What scoring a saved model came to.
 *
 * @param seconds for reading and scoring
 * @param quality on the data
 * @param badLines malformed lines that were left out
 * @param modelDigest of the model, as when it was saved
 */
public record EvaluationResult(
    double seconds, @JsonUnwrapped Quality quality, long badLines, String modelDigest) {

  /** The same as {@code evalSamples}, under the name that all reports share. */
  @JsonProperty
  public long samples() {
    return quality.evalSamples();
  }

  @JsonProperty
  public double samplesPerSecond() {
    return samples() / seconds;
  }
}
