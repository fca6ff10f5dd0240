package io.holdfast.benchmarks;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** Takes what a benchmark measures, and shows it at once. */
final class Recorder {
  static final String RATIO = "ratio";

  private final List<Measurement> measurements = new ArrayList<>();
  private final PrintWriter out;

  Recorder(PrintWriter out) {
    this.out = out;
  }

  /** Conditions of a measurement, in the order in which they are given: name, value, ... */
  static Map<String, Object> parameters(Object... namesAndValues) {
    Map<String, Object> parameters = new LinkedHashMap<>();
    for (int i = 0; i < namesAndValues.length; i += 2) {
      parameters.put((String) namesAndValues[i], namesAndValues[i + 1]);
    }
    return parameters;
  }

  void add(String name, Map<String, Object> parameters, String unit, Spread values) {
    measurements.add(new Measurement(name, parameters, unit, values));
    String conditions =
        parameters.entrySet().stream()
            .map(entry -> entry.getKey() + "=" + entry.getValue())
            .collect(Collectors.joining(" "));
    out.printf(
        Locale.ROOT,
        "%-28s %-52s %12s %-10s (%s to %s)%n",
        name,
        conditions,
        figure(values.median()),
        unit,
        figure(values.least()),
        figure(values.most()));
    out.flush();
  }

  private static String figure(double value) {
    double size = Math.abs(value);
    String format = size >= 1000 ? "%,.0f" : size >= 100 ? "%.1f" : size >= 10 ? "%.2f" : "%.3f";
    return String.format(Locale.ROOT, format, value);
  }

  List<Measurement> measurements() {
    return List.copyOf(measurements);
  }
}
