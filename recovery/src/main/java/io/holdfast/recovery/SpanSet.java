package io.holdfast.recovery;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/** Disjoint stretches of data; neighbours are merged. Adding what is there already is an error. */
final class SpanSet {
  private record Key(int pass, int file) implements Comparable<Key> {
    @Override
    public int compareTo(Key other) {
      int byPass = Integer.compare(pass, other.pass);
      return byPass != 0 ? byPass : Integer.compare(file, other.file);
    }
  }

  /** From first position to position behind the last. */
  private final TreeMap<Key, TreeMap<Long, Long>> spans = new TreeMap<>();

  /**
   * Adds a stretch; an empty one changes nothing.
   *
   * @throws OverlapException if some of it is there already
   */
  void add(Span span) {
    if (span.to() <= span.from()) {
      return;
    }
    TreeMap<Long, Long> file =
        spans.computeIfAbsent(new Key(span.pass(), span.file()), key -> new TreeMap<>());
    Map.Entry<Long, Long> before = file.lowerEntry(span.to());
    if (before != null && before.getValue() > span.from()) {
      throw new OverlapException(
          span, new Span(span.pass(), span.file(), before.getKey(), before.getValue()));
    }
    long from = span.from();
    long to = span.to();
    if (before != null && before.getValue() == from) {
      from = before.getKey();
    }
    Long after = file.remove(to);
    if (after != null) {
      to = after;
    }
    file.put(from, to);
  }

  void addAll(Collection<Span> all) {
    all.forEach(this::add);
  }

  /** What of a stretch is not in the set, in order. */
  List<Span> missing(Span span) {
    List<Span> missing = new ArrayList<>();
    long at = span.from();
    for (Map.Entry<Long, Long> each : overlapping(span).entrySet()) {
      if (each.getKey() > at) {
        missing.add(new Span(span.pass(), span.file(), at, each.getKey()));
      }
      at = Math.max(at, each.getValue());
    }
    if (at < span.to()) {
      missing.add(new Span(span.pass(), span.file(), at, span.to()));
    }
    return missing;
  }

  /** What of a stretch is in the set, in order. */
  List<Span> present(Span span) {
    List<Span> present = new ArrayList<>();
    for (Map.Entry<Long, Long> each : overlapping(span).entrySet()) {
      present.add(
          new Span(
              span.pass(),
              span.file(),
              Math.max(span.from(), each.getKey()),
              Math.min(span.to(), each.getValue())));
    }
    return present;
  }

  private Map<Long, Long> overlapping(Span span) {
    TreeMap<Long, Long> file = spans.get(new Key(span.pass(), span.file()));
    if (file == null || span.to() <= span.from()) {
      return Map.of();
    }
    Map.Entry<Long, Long> first = file.floorEntry(span.from());
    boolean reachesIn = first != null && first.getValue() > span.from();
    return file.subMap(reachesIn ? first.getKey() : span.from(), true, span.to(), false);
  }

  /** All stretches in order. */
  List<Span> spans() {
    List<Span> all = new ArrayList<>();
    spans.forEach(
        (key, file) ->
            file.forEach((from, to) -> all.add(new Span(key.pass(), key.file(), from, to))));
    return all;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof SpanSet that && spans.equals(that.spans);
  }

  @Override
  public int hashCode() {
    return Objects.hash(spans);
  }

  @Override
  public String toString() {
    return spans().toString();
  }

  /** The same data twice. */
  static final class OverlapException extends IllegalArgumentException {
    private static final long serialVersionUID = 1;

    OverlapException(Span one, Span other) {
      super(one + " overlaps " + other);
    }
  }
}
