package io.holdfast.launcher.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.config.settings.SettingsReference;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

class SettingOptionsTest {
  @Test
  void shouldMeanSettingsThatThereAre() {
    assertTrue(SettingsReference.keys().containsAll(SettingOptions.KEYS.values()));
  }

  /** Else an option would be parsed and then have no effect. */
  @Test
  void shouldLeaveNoOptionOfTrainWithoutEffect() {
    List<String> handledElsewhere =
        List.of(
            "--config",
            "--fault",
            "--help",
            "--report",
            "--save",
            "--seed",
            "--set",
            "--verbose",
            "--verify",
            "--version");
    CommandLine train = new CommandLine(new TrainCommand((request, progress) -> null));
    List<String> options = new ArrayList<>();
    train.getCommandSpec().options().forEach(option -> options.add(option.longestName()));
    TreeSet<String> withoutEffect = new TreeSet<>(options);
    withoutEffect.removeAll(SettingOptions.KEYS.keySet());
    withoutEffect.removeAll(handledElsewhere);
    assertEquals(new TreeSet<>(), withoutEffect);
  }
}
