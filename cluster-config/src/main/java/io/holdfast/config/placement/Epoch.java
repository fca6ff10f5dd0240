package io.holdfast.config.placement;

/**
 * A placement epoch: which coordinator term issued it and its number within all terms. Ordered by
 * term, then number (hazard 2: two coordinators must not issue the same epoch).
 */
public record Epoch(int term, int number) implements Comparable<Epoch> {
  /** Before any epoch was issued. */
  public static final Epoch NONE = new Epoch(0, 0);

  public static Epoch of(long packed) {
    return new Epoch((int) (packed >>> 32), (int) packed);
  }

  /** Both parts in one long, order preserved. */
  public long packed() {
    return ((long) term << 32) | (number & 0xFFFFFFFFL);
  }

  public Epoch next() {
    return new Epoch(term, number + 1);
  }

  @Override
  public int compareTo(Epoch other) {
    return Long.compare(packed(), other.packed());
  }

  @Override
  public String toString() {
    return term + "." + number;
  }
}
