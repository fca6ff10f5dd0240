package io.holdfast.launcher.cli;

import io.holdfast.config.settings.SettingOverride;
import io.holdfast.config.settings.Settings;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * Where settings come from. Values are checked by {@link Settings}, in one place for all sources.
 */
final class SettingOptions {
  /** Options that are short for a setting, over all commands. */
  static final Map<String, String> KEYS =
      Map.ofEntries(
          Map.entry("--data", "data.paths"),
          Map.entry("--eval", "data.eval"),
          Map.entry("--bad-lines", "data.bad-lines"),
          Map.entry("--cache", "data.cache"),
          Map.entry("--preset", "model.preset"),
          Map.entry("--servers", "cluster.servers"),
          Map.entry("--standby", "cluster.standby"),
          Map.entry("--workers", "cluster.workers"),
          Map.entry("--processes", "cluster.processes"),
          Map.entry("--batch", "batch"),
          Map.entry("--epochs", "epochs"),
          Map.entry("--iterations", "iterations"),
          Map.entry("--sync", "sync"),
          Map.entry("--optimizer", "optimizer.name"),
          Map.entry("--learning-rate", "learning.rate"),
          Map.entry("--max-rows-per-table", "max.rows.per.table"),
          Map.entry("--deterministic", "deterministic"),
          Map.entry("--redundancy", "redundancy"),
          Map.entry("--k", "k"),
          Map.entry("--r", "r"),
          Map.entry("--code", "code"),
          Map.entry("--nn-replicas", "nn.replicas"),
          Map.entry("--commit", "commit.mode"),
          Map.entry("--witness", "commit.witness"),
          Map.entry("--host", "cluster.host"),
          Map.entry("--port", "cluster.port"));

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

  @Option(
      names = "--set",
      paramLabel = "KEY=VALUE",
      description = "A setting; all are in docs/configuration.md. Repeatable.")
  private List<String> assignments = new ArrayList<>();

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description = "A file of settings (HOCON). Repeatable; a later file goes before.")
  private List<Path> files = new ArrayList<>();

  /**
   * The settings of this run.
   *
   * @param seedKey the setting that this command's {@code --seed} means
   * @param defaults of this command; go behind everything that the user says but files
   */
  Settings load(String seedKey, List<SettingOverride> defaults) {
    List<SettingOverride> overrides = new ArrayList<>(defaults);
    for (String assignment : assignments) {
      overrides.add(SettingOverride.ofAssignment(assignment));
    }
    for (OptionSpec option : command.commandLine().getParseResult().matchedOptions()) {
      String name = option.longestName();
      String key = name.equals("--seed") ? seedKey : KEYS.get(name);
      if (key != null) {
        overrides.add(new SettingOverride(key, option.getValue(), name));
      }
    }
    return Settings.load(files, overrides);
  }

  Settings load() {
    return load("seed", List.of());
  }
}
