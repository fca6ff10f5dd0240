package io.holdfast.launcher.job;

import io.holdfast.config.settings.LaunchSettings;
import java.nio.file.Path;
import java.util.List;

/**
 * A saved model to score.
 *
 * @param model directory that {@code train --save} wrote
 * @param files data files, absolute
 * @param launch policy for bad lines, huge pages
 * @param threads of the dense part
 */
public record EvaluationRequest(
    Path model, List<String> files, LaunchSettings launch, int threads) {
  public EvaluationRequest {
    files = List.copyOf(files);
  }
}
