package io.holdfast.launcher.job;

import java.io.IOException;
import java.io.InputStream;
import java.io.Writer;
import java.nio.file.Path;

/** Scores lines with a saved model. */
public interface PredictionJob {
  /**
   * Writes one probability a line, in the lines' order, until the input ends.
   *
   * @param model directory that {@code train --save} wrote
   * @param lines Criteo lines; their label may be empty
   * @param name what messages call the lines: a path, or standard input
   * @param threads of the dense part
   * @return number of lines scored
   * @throws BadDataException if the model is damaged
   * @throws io.holdfast.criteo.CriteoDataException if a line is
   */
  long run(Path model, InputStream lines, String name, int threads, Writer probabilities)
      throws IOException;
}
