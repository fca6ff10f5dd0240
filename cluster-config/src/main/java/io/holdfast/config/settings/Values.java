package io.holdfast.config.settings;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigParseOptions;
import com.typesafe.config.ConfigValue;
import com.typesafe.config.ConfigValueFactory;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.DoublePredicate;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The effective value of every key, read with a type and a range. A bad value is noted and the
 * default is returned in its place, so that one look finds all that is wrong.
 */
final class Values {
  /** HOCON knows no key that has both a value and keys below it. */
  private static final Map<String, String> SHORT_NAMES = Map.of("commit", "commit.mode");

  private final Map<String, ConfigValue> defaults = SettingsReference.get().defaults();
  private final Map<String, ConfigValue> effective = new LinkedHashMap<>(defaults);
  private final Set<String> given = new HashSet<>();
  private final Set<String> read = new HashSet<>();
  private final List<String> problems = new ArrayList<>();

  Values(List<Path> files, List<SettingOverride> overrides) {
    files.forEach(this::addFile);
    for (SettingOverride override : overrides) {
      ConfigValue value = ConfigValueFactory.fromAnyRef(override.value(), override.origin());
      put(override.key(), value);
    }
  }

  private void addFile(Path file) {
    if (!Files.isRegularFile(file)) {
      problems.add("--config " + file + ": there is no such file");
      return;
    }
    try {
      Config config =
          ConfigFactory.parseFile(
                  file.toFile(), ConfigParseOptions.defaults().setAllowMissing(false))
              .resolve();
      SettingsReference.flatten(config.root()).forEach(this::put);
    } catch (ConfigException e) {
      problems.add("--config " + file + ": cannot be read: " + e.getMessage());
    }
  }

  private void put(String name, ConfigValue value) {
    String key = SHORT_NAMES.getOrDefault(name, name);
    if (!defaults.containsKey(key)) {
      problems.add(
          "unknown setting '"
              + key
              + "' (from "
              + value.origin().description()
              + ")"
              + Suggestions.didYouMean(key, defaults.keySet()));
      return;
    }
    effective.put(key, value);
    given.add(key);
  }

  /** Whether a file or an override sets the key. */
  boolean isGiven(String key) {
    return given.contains(key);
  }

  /**
   * A value that follows from another setting.
   *
   * @param why begins the sentence when the user asked for something else
   */
  void imply(String key, Object implied, String why) {
    if (given.contains(key) && !String.valueOf(unwrapped(key)).equals(implied.toString())) {
      reject(key, why + " needs " + key + " = " + implied);
    } else {
      effective.put(key, ConfigValueFactory.fromAnyRef(implied, why));
    }
  }

  List<String> problems() {
    return problems;
  }

  void problem(String sentence) {
    problems.add(sentence);
  }

  /** Notes that a value cannot be used. */
  void reject(String key, String rule) {
    problems.add(describe(key) + ": " + rule);
  }

  /** {@code batch = 0 (from --set)}. */
  String describe(String key) {
    ConfigValue value = value(key);
    String origin = given.contains(key) ? "from " + value.origin().description() : "the default";
    return key + " = " + SettingsReference.render(value) + " (" + origin + ")";
  }

  /** Keys that nothing has read; for a test that the reference names no key in vain. */
  Set<String> unread() {
    Set<String> unread = new HashSet<>(defaults.keySet());
    unread.removeAll(read);
    return unread;
  }

  /** All values as they are shown to people, by key in documented order. */
  Map<String, Object> shown() {
    Map<String, Object> shown = new LinkedHashMap<>();
    effective.forEach((key, value) -> shown.put(key, value.unwrapped()));
    return shown;
  }

  int wholeInt(String key, int min, int max) {
    return (int) whole(key, min, max);
  }

  long whole(String key, long min, long max) {
    Long number = wholeOrNull(unwrapped(key));
    if (number == null) {
      return fallBack(key, "must be a whole number " + range(min, max), () -> whole(key, min, max));
    }
    if (number < min || number > max) {
      return fallBack(key, "must be " + range(min, max), () -> whole(key, min, max));
    }
    return number;
  }

  private static Long wholeOrNull(Object value) {
    try {
      return new BigDecimal(value.toString()).longValueExact();
    } catch (ArithmeticException | NumberFormatException e) {
      return null;
    }
  }

  private static String range(long min, long max) {
    return max == Long.MAX_VALUE ? "of at least " + min : "from " + min + " to " + max;
  }

  /** A number for which {@code allowed} holds; {@code rule} says so in words. */
  double real(String key, String rule, DoublePredicate allowed) {
    Object value = unwrapped(key);
    double number = Double.NaN;
    if (value instanceof Number n) {
      number = n.doubleValue();
    } else if (value instanceof String text) {
      try {
        number = Double.parseDouble(text);
      } catch (NumberFormatException e) {
        number = Double.NaN;
      }
    }
    if (!Float.isFinite((float) number) || !allowed.test(number)) {
      return fallBack(key, "must be a number " + rule, () -> real(key, rule, allowed));
    }
    return number;
  }

  boolean flag(String key) {
    String text = String.valueOf(unwrapped(key)).toLowerCase(Locale.ROOT);
    return switch (text) {
      case "true", "yes", "on" -> true;
      case "false", "no", "off" -> false;
      default -> fallBack(key, "must be true or false", () -> flag(key));
    };
  }

  String text(String key) {
    Object value = unwrapped(key);
    return value instanceof String || value instanceof Number
        ? value.toString()
        : fallBack(key, "must be a text", () -> text(key));
  }

  String choice(String key, List<String> choices) {
    String text = String.valueOf(unwrapped(key));
    return choices.contains(text)
        ? text
        : fallBack(
            key,
            "must be one of " + String.join(", ", choices) + Suggestions.didYouMean(text, choices),
            () -> choice(key, choices));
  }

  <E extends Enum<E>> E choice(String key, Class<E> type) {
    Map<String, E> byName =
        Arrays.stream(type.getEnumConstants())
            .collect(
                Collectors.toMap(
                    e -> e.name().toLowerCase(Locale.ROOT).replace('_', '-'),
                    e -> e,
                    (a, b) -> a,
                    LinkedHashMap::new));
    return byName.get(choice(key, List.copyOf(byName.keySet())));
  }

  /** A list, or a text separated by commas. */
  List<String> texts(String key) {
    Object value = unwrapped(key);
    if (value instanceof List<?> list && list.stream().allMatch(String.class::isInstance)) {
      return list.stream().map(String.class::cast).toList();
    }
    if (value instanceof String text) {
      return Stream.of(text.split(",")).map(String::strip).filter(s -> !s.isEmpty()).toList();
    }
    return fallBack(key, "must be a list of texts", () -> texts(key));
  }

  long bytes(String key, long min, long max) {
    long bytes;
    try {
      bytes = value(key).atKey("v").getMemorySize("v").toBytes();
    } catch (ConfigException e) {
      return fallBack(key, "must be a size such as 16MiB", () -> bytes(key, min, max));
    }
    if (bytes < min || bytes > max) {
      return fallBack(
          key, "must be from " + min + " to " + max + " bytes", () -> bytes(key, min, max));
    }
    return bytes;
  }

  /** A duration above zero, in nanoseconds. */
  long nanos(String key) {
    long nanos;
    try {
      nanos = value(key).atKey("v").getDuration("v").toNanos();
    } catch (ConfigException | ArithmeticException e) {
      return fallBack(key, "must be a duration such as 500ms or 2s", () -> nanos(key));
    }
    return nanos > 0 ? nanos : fallBack(key, "must be longer than 0", () -> nanos(key));
  }

  private ConfigValue value(String key) {
    ConfigValue value = effective.get(key);
    if (value == null) {
      throw new IllegalArgumentException("holdfast-reference.conf does not name " + key);
    }
    read.add(key);
    return value;
  }

  private Object unwrapped(String key) {
    Object value = value(key).unwrapped();
    return value == null ? "null" : value;
  }

  private <T> T fallBack(String key, String rule, Supplier<T> again) {
    reject(key, rule);
    ConfigValue byDefault = defaults.get(key);
    if (effective.put(key, byDefault) == byDefault) {
      throw new IllegalStateException("the default of " + key + " is refused: " + rule);
    }
    given.remove(key);
    return again.get();
  }
}
