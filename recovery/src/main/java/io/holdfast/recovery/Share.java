package io.holdfast.recovery;

import java.util.ArrayDeque;
import java.util.List;

/**
 * A part of the data that is dealt out in order: every {@code stride}-th split of every pass, with
 * what came back in front.
 */
final class Share {
  private final TrainingData data;
  private final int first;
  private final int stride;
  private final ArrayDeque<Span> returned = new ArrayDeque<>();
  private int pass;
  private int next;

  /** Iterations that may still be dealt out; only if the job ends by iterations. */
  private long budget;

  private boolean trained;

  Share(TrainingData data, int first, int stride, long budget) {
    this.data = data;
    this.first = first;
    this.stride = stride;
    this.next = first;
    this.budget = budget;
  }

  /** True if nothing of it is left to deal out; what is out may come back. */
  boolean spent() {
    if (data.endsByIterations()) {
      return budget == 0;
    }
    return returned.isEmpty() && (pass == data.passes() || first >= data.splits().size());
  }

  /** True if its next stretch exists. */
  boolean hasNext() {
    if (spent()) {
      return false;
    }
    return !returned.isEmpty() || (first < data.splits().size() && !awaitsFirstBatch());
  }

  /**
   * True if it went over all its data once and nobody found a good line yet: before that is known
   * it makes no sense to go on, and without any good line iterations would never end.
   */
  boolean awaitsFirstBatch() {
    return data.endsByIterations()
        && returned.isEmpty()
        && !trained
        && (pass > 0 || first >= data.splits().size());
  }

  Span next() {
    if (!returned.isEmpty()) {
      return returned.removeFirst();
    }
    Split split = data.splits().get(next);
    Span span = new Span(pass, split.file(), split.from(), split.to());
    next += stride;
    if (next >= data.splits().size()) {
      next = first;
      pass++;
    }
    return span;
  }

  void putBack(List<Span> spans) {
    spans.reversed().forEach(returned::addFirst);
  }

  long budget() {
    return budget;
  }

  /** Takes iterations out of the budget or, if negative, returns them. */
  void spend(long iterations) {
    budget -= iterations;
  }

  void markTrained() {
    trained = true;
  }
}
