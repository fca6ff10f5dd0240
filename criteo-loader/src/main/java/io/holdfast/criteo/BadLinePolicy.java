package io.holdfast.criteo;

/**
 * What happens to a malformed line.
 *
 * @param skip whether such lines are left out instead of failing the read
 * @param limit most lines that may be left out, over all readers of one source object
 */
public record BadLinePolicy(boolean skip, long limit) {
  public BadLinePolicy {
    if (limit < 0 || (!skip && limit != 0)) {
      throw new IllegalArgumentException(
          "limit of skipped lines is " + limit + (skip ? ", must not be negative" : " for 'fail'"));
    }
  }

  /** The first bad line fails the read. */
  public static BadLinePolicy fail() {
    return new BadLinePolicy(false, 0);
  }

  /** Up to {@code limit} bad lines are left out, counted and logged; one more fails the read. */
  public static BadLinePolicy skip(long limit) {
    return new BadLinePolicy(true, limit);
  }
}
