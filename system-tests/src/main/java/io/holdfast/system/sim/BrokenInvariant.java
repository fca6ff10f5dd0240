package io.holdfast.system.sim;

import java.util.Arrays;
import java.util.Objects;
import java.util.function.Supplier;

/** A run broke something that must hold in every run: a bug of the protocol or of the simulator. */
public final class BrokenInvariant extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final Oracle oracle;

  BrokenInvariant(Oracle oracle, String message) {
    super(oracle.meaning() + ": " + message);
    this.oracle = oracle;
  }

  BrokenInvariant(Oracle oracle, Throwable cause) {
    super(oracle.meaning() + ": " + cause, cause);
    this.oracle = oracle;
  }

  /** Who noticed. */
  public Oracle oracle() {
    return oracle;
  }

  static void require(boolean holds, Oracle oracle, Supplier<String> message) {
    if (!holds) {
      throw new BrokenInvariant(oracle, message.get());
    }
  }

  static void requireEqual(Object expected, Object actual, Oracle oracle, String what) {
    if (!Objects.equals(expected, actual)) {
      throw new BrokenInvariant(oracle, what + ": " + actual + ", should be " + expected);
    }
  }

  /**
   * Compares bytes.
   *
   * @param what what they are
   * @param text how to show them
   */
  static void requireBytes(
      byte[] expected,
      byte[] actual,
      Oracle oracle,
      Supplier<String> what,
      java.util.function.Function<byte[], String> text) {
    if (!Arrays.equals(expected, actual)) {
      throw new BrokenInvariant(
          oracle,
          what.get()
              + " is "
              + (actual == null ? "missing" : text.apply(actual))
              + ", should be "
              + (expected == null ? "untouched" : text.apply(expected)));
    }
  }
}
