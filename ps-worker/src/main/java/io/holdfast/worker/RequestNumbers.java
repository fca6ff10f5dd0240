package io.holdfast.worker;

/** Numbers for questions, unique within an incarnation. */
public final class RequestNumbers {
  private long last;

  /** The next number, from 1. */
  public long next() {
    return ++last;
  }
}
