package io.holdfast.server.storage;

/**
 * How a server takes its memory.
 *
 * @param hugePages ask the kernel for 2 MiB pages: fewer address translations, but each touched row
 *     commits 2 MiB, so memory of rows that were never updated is no longer free
 */
public record MemorySettings(boolean hugePages) {
  /** Small pages. */
  public static final MemorySettings DEFAULT = new MemorySettings(false);
}
