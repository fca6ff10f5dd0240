package io.holdfast.criteo;

/** Hears how far a long activity is. */
@FunctionalInterface
public interface Progress {
  /** Hears nothing. */
  Progress NONE = (what, done, total) -> {};

  /**
   * Called now and then, and once at the end with {@code done == total}.
   *
   * @param what the activity, for a person to read
   * @param done units done
   * @param total units in all, more than 0
   */
  void at(String what, long done, long total);
}
