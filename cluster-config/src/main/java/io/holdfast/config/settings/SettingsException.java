package io.holdfast.config.settings;

import java.util.List;

/** Settings that cannot be used. All that is wrong, each with its key, value and remedy. */
public final class SettingsException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final transient List<String> problems;

  public SettingsException(List<String> problems) {
    super(String.join(System.lineSeparator(), problems));
    this.problems = List.copyOf(problems);
  }

  /** One sentence for each thing that is wrong. */
  public List<String> problems() {
    return problems;
  }
}
