package io.holdfast.config.protocol;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/** The servers that have a part in a transaction, in increasing order. */
public final class Participants {
  private final int[] servers;

  private Participants(int[] servers) {
    this.servers = servers;
  }

  public static Participants of(int... servers) {
    int[] sorted = servers.clone();
    Arrays.sort(sorted);
    return new Participants(sorted);
  }

  static Participants read(MemorySegment bytes) {
    int[] servers = new int[(int) (bytes.byteSize() / 4)];
    for (int i = 0; i < servers.length; i++) {
      servers[i] = bytes.get(ValueLayout.JAVA_INT_UNALIGNED, 4L * i);
    }
    return new Participants(servers);
  }

  public int count() {
    return servers.length;
  }

  public int get(int i) {
    return servers[i];
  }

  /**
   * The one participant that records the transaction's data range, so that sums over servers count
   * it once. It is the same for all transactions of a worker with these participants: then
   * neighbouring ranges meet on one server, which merges them.
   */
  public int recorder(TxId tx) {
    return servers[tx.worker().index() % servers.length];
  }

  int lengthBytes() {
    return 4 * servers.length;
  }

  void writeTo(MemorySegment target, long offsetBytes) {
    for (int i = 0; i < servers.length; i++) {
      target.set(ValueLayout.JAVA_INT_UNALIGNED, offsetBytes + 4L * i, servers[i]);
    }
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Participants that && Arrays.equals(servers, that.servers);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(servers);
  }

  @Override
  public String toString() {
    return Arrays.toString(servers);
  }
}
