package io.holdfast.criteo;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Counts the bad lines of a source and holds them against the policy. Thread safe. */
final class BadLineLog {
  /** Only so many are described: finding a line's number costs a pass over the file before it. */
  static final int MAX_DESCRIBED = 100;

  private static final Logger LOG = LoggerFactory.getLogger(BadLineLog.class);

  private final List<BadLine> described = new ArrayList<>();
  private long count;

  /**
   * Takes note of a bad line that is to be left out.
   *
   * @throws CriteoDataException if the policy does not allow it
   */
  void record(BadLinePolicy policy, Supplier<BadLine> line) {
    synchronized (this) {
      if (policy.skip() && count < policy.limit()) {
        count++;
        if (described.size() == MAX_DESCRIBED) {
          return;
        }
      } else {
        throw refused(policy, line.get());
      }
    }
    BadLine bad = line.get();
    synchronized (this) {
      if (described.size() < MAX_DESCRIBED) {
        described.add(bad);
      }
    }
    LOG.warn("left out: {}", bad);
  }

  private static CriteoDataException refused(BadLinePolicy policy, BadLine bad) {
    return new CriteoDataException(
        policy.skip()
            ? bad + " (one more than the " + policy.limit() + " bad lines that may be skipped)"
            : bad.toString());
  }

  synchronized long count() {
    return count;
  }

  synchronized List<BadLine> described() {
    return List.copyOf(described);
  }

  synchronized void forget() {
    count = 0;
    described.clear();
  }
}
