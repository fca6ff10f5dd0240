package io.holdfast.config.settings;

import java.util.List;

/**
 * A value that goes before those of files.
 *
 * @param key full key
 * @param value a string, number, boolean or list of strings
 * @param origin what the user wrote it as, for messages: {@code --batch}
 */
public record SettingOverride(String key, Object value, String origin) {
  /**
   * The override of {@code key=value}. Spaces around both are dropped.
   *
   * @throws SettingsException if there is no {@code =} or no key
   */
  public static SettingOverride ofAssignment(String assignment) {
    int equals = assignment.indexOf('=');
    String key = equals < 0 ? "" : assignment.substring(0, equals).strip();
    if (key.isEmpty()) {
      throw new SettingsException(
          List.of("--set " + assignment + ": must be key=value, for instance --set batch=512"));
    }
    return new SettingOverride(key, assignment.substring(equals + 1).strip(), "--set");
  }
}
