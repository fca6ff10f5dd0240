package io.holdfast.config.settings;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigObject;
import com.typesafe.config.ConfigRenderOptions;
import com.typesafe.config.ConfigValue;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** All keys with defaults and comments, in the order of {@code holdfast-reference.conf}. */
public final class SettingsReference {
  private static final SettingsReference INSTANCE = new SettingsReference();

  private final Map<String, ConfigValue> defaults;

  private SettingsReference() {
    Config config =
        ConfigFactory.parseResources(
            SettingsReference.class.getClassLoader(), "holdfast-reference.conf");
    List<Map.Entry<String, ConfigValue>> entries =
        new ArrayList<>(flatten(config.root()).entrySet());
    entries.sort(Comparator.comparingInt(entry -> entry.getValue().origin().lineNumber()));
    defaults = new LinkedHashMap<>();
    entries.forEach(entry -> defaults.put(entry.getKey(), entry.getValue()));
  }

  static SettingsReference get() {
    return INSTANCE;
  }

  Map<String, ConfigValue> defaults() {
    return defaults;
  }

  /** All keys in the order in which they are documented. */
  public static List<String> keys() {
    return List.copyOf(INSTANCE.defaults.keySet());
  }

  /** The reference as a page of Markdown: what {@code docs/configuration.md} holds. */
  public static String markdown() {
    StringBuilder page = new StringBuilder();
    page.append(
        """
        # Configuration

        <!-- Made from cluster-config/src/main/resources/holdfast-reference.conf; a test compares. -->

        Settings come from the defaults below, from files (`--config FILE`, HOCON, a later file goes
        before an earlier one), from `--set key=value`, and from options such as `--batch`; each goes
        before those named before it. An unknown key, a wrong type or a value out of range stops the
        command with exit code 2 before anything starts; all problems are listed, not just the first.

        Sizes take a unit (`64KiB`, `16MiB`, `1GiB`; `k`, `m`, `g` are these too; `KB`, `MB` are powers
        of ten), a bare number is bytes. Durations take `ns`, `us`, `ms`, `s`, `m` or `h`, a bare number
        is milliseconds. In `--set` a list is separated by commas.
        """);
    INSTANCE.defaults.forEach(
        (key, value) -> {
          StringBuilder meaning = new StringBuilder();
          for (String comment : value.origin().comments()) {
            String line = comment.strip();
            if (line.startsWith("== ")) {
              page.append("\n## ").append(line.replace("=", "").strip());
              page.append("\n\n| key | default | meaning |\n|---|---|---|\n");
            } else {
              meaning.append(meaning.isEmpty() ? "" : " ").append(line);
            }
          }
          page.append("| `").append(key).append("` | `").append(render(value)).append("` | ");
          page.append(meaning).append(" |\n");
        });
    return page.toString();
  }

  static String render(ConfigValue value) {
    return value.unwrapped() instanceof String text && !text.isEmpty()
        ? text
        : value.render(ConfigRenderOptions.concise());
  }

  /** Leaves by their full key. Nulls are kept, so that they can be refused. */
  static Map<String, ConfigValue> flatten(ConfigObject object) {
    Map<String, ConfigValue> flat = new LinkedHashMap<>();
    collect("", object, flat);
    return flat;
  }

  private static void collect(String prefix, ConfigObject object, Map<String, ConfigValue> flat) {
    object.forEach(
        (name, value) -> {
          if (value instanceof ConfigObject nested && !nested.isEmpty()) {
            collect(prefix + name + ".", nested, flat);
          } else {
            flat.put(prefix + name, value);
          }
        });
  }
}
