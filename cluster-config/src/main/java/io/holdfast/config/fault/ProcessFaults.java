package io.holdfast.config.fault;

import java.util.OptionalLong;
import java.util.concurrent.ConcurrentLinkedQueue;

/** What this process was told to get wrong. One node a process. Safe for threads. */
public final class ProcessFaults {
  /** No certain row: any that was updated. */
  public static final long ANY_ROW = -1;

  private static final LinkFaults LINKS = new LinkFaults();
  private static final ConcurrentLinkedQueue<Long> CORRUPTIONS = new ConcurrentLinkedQueue<>();

  private ProcessFaults() {}

  /** Of this process's data link. */
  public static LinkFaults links() {
    return LINKS;
  }

  /** The server of this process is to damage a stored row. */
  public static void corrupt(long row) {
    CORRUPTIONS.add(row);
  }

  /** The row to damage now, or {@link #ANY_ROW}; empty: none. */
  public static OptionalLong takeCorruption() {
    Long row = CORRUPTIONS.poll();
    return row == null ? OptionalLong.empty() : OptionalLong.of(row);
  }
}
