package io.holdfast.config.placement;

/**
 * Which servers keep copies of what a server has beside rows: its NN shards and its record of
 * committed data. The next ones in the circle of indices, so that every server backs up equally
 * many and two copies never meet on one server.
 */
public final class Backups {
  private Backups() {}

  /** The server that keeps copy {@code 0 .. servers - 2} of a server's share. */
  public static int backup(int server, int copy, int servers) {
    return (server + 1 + copy) % servers;
  }

  /** Whether {@code candidate} is among the first {@code count} backups of {@code server}. */
  public static boolean isBackup(int candidate, int server, int count, int servers) {
    int distance = Math.floorMod(candidate - server, servers);
    return distance >= 1 && distance <= count;
  }
}
