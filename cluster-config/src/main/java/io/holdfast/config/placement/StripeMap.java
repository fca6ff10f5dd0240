package io.holdfast.config.placement;

import io.holdfast.config.model.ParameterInit;
import java.util.ArrayList;
import java.util.List;

/**
 * Where every row and every parity lives. Global row {@code g} is member {@code g % k} of stripe
 * {@code g / k}; a stripe has {@code k} data members and {@code r} parities on {@code k + r}
 * different servers.
 *
 * <p>The map is made of {@code m} base blocks, each an ordered choice of {@code k + r} of the
 * {@code n} servers, and each used in all its {@code n} rotations: {@code m * n} stripes make one
 * cycle. In each block's rotations every server takes every position exactly once, so shares of
 * data and of parity are equal.
 *
 * <p>Blocks are chosen so that all differences between members modulo {@code n} are about equally
 * frequent (a near difference family: Bose 1939; its use for declustered parity is Holland and
 * Gibson, ASPLOS 1992), so when a server dies its rebuild reads fall evenly on all survivors. The
 * same set of servers is used in {@code k + r} blocks, its members moved on by one position each
 * time, so that differences from data to parities, and to the first parity, are about equally
 * frequent too: any server's updates go to all others alike, and when it dies, all others stand in
 * for it alike. Everything is arithmetic on {@code m * (k + r)} small numbers; nothing grows with
 * the number of rows.
 */
public final class StripeMap {
  /** Tolerated ratio of the survivors' shares, largest to smallest, unless blocks run out. */
  private static final double BALANCE = 1.09;

  private final int servers;
  private final int k;
  private final int r;
  private final long rows;

  /** {@code blocks[b][position]}: the server of a block's position in its rotation 0. */
  private final int[][] blocks;

  private StripeMap(int servers, int k, int r, long rows, int[][] blocks) {
    this.servers = servers;
    this.k = k;
    this.r = r;
    this.rows = rows;
    this.blocks = blocks;
  }

  /**
   * The map of a cluster. The same arguments give the same map everywhere.
   *
   * @param servers number of servers, at least {@code k + r}
   * @param k data members of a stripe, at least 1
   * @param r parities of a stripe, at least 0
   * @param rows rows of all tables
   * @throws IllegalArgumentException if there are too few servers
   */
  public static StripeMap of(int servers, int k, int r, long rows) {
    if (k < 1 || r < 0 || rows < 1) {
      throw new IllegalArgumentException("k is " + k + ", r is " + r + ", rows are " + rows);
    }
    if (servers < k + r) {
      throw new IllegalArgumentException(
          "k = "
              + k
              + " and r = "
              + r
              + " need at least "
              + (k + r)
              + " servers, but there are "
              + servers
              + ": every member of a stripe must be on another server");
    }
    return new StripeMap(servers, k, r, rows, chooseBlocks(servers, k, r));
  }

  private static int[][] chooseBlocks(int servers, int k, int r) {
    int width = k + r;
    int turns = r == 0 ? 1 : width;
    int limit = Math.max(8, 4 * servers);
    long[] setPairs = new long[servers];
    Differences differences = new Differences(servers, k, r);
    List<int[]> chosen = new ArrayList<>();
    int best = 0;
    double bestBalance = Double.MAX_VALUE;
    for (int set = 0; set < limit && bestBalance > BALANCE; set++) {
      int[] members = nextSet(servers, width, set, setPairs);
      int[] ring = differences.bestOrder(members, set, turns);
      for (int turn = 0; turn < turns && bestBalance > BALANCE; turn++) {
        int[] block = new int[width];
        for (int position = 0; position < width; position++) {
          block[position] = ring[(position + turn) % width];
        }
        differences.add(block);
        chosen.add(block);
        double balance = differences.balance();
        if (balance < bestBalance) {
          bestBalance = balance;
          best = chosen.size();
        }
      }
    }
    return chosen.subList(0, best).toArray(int[][]::new);
  }

  /** Adds the member that makes the rarest differences, again and again; ties fall by a hash. */
  private static int[] nextSet(int servers, int width, int set, long[] counts) {
    int[] members = new int[width];
    boolean[] used = new boolean[servers];
    used[0] = true;
    for (int size = 1; size < width; size++) {
      int pick = -1;
      long pickCost = Long.MAX_VALUE;
      long pickTie = 0;
      for (int candidate = 0; candidate < servers; candidate++) {
        if (used[candidate]) {
          continue;
        }
        long cost = 0;
        for (int i = 0; i < size; i++) {
          int difference = Math.floorMod(candidate - members[i], servers);
          cost += counts[difference] + counts[servers - difference];
        }
        long tie = ParameterInit.mix(((long) set << 32) + ((long) size << 20) + candidate);
        if (cost < pickCost || (cost == pickCost && tie < pickTie)) {
          pick = candidate;
          pickCost = cost;
          pickTie = tie;
        }
      }
      used[pick] = true;
      for (int i = 0; i < size; i++) {
        int difference = Math.floorMod(pick - members[i], servers);
        counts[difference]++;
        counts[servers - difference]++;
      }
      members[size] = pick;
    }
    return members;
  }

  public int servers() {
    return servers;
  }

  public int k() {
    return k;
  }

  public int r() {
    return r;
  }

  /** Rows of all tables. */
  public long rows() {
    return rows;
  }

  /** Stripes after which the pattern repeats. */
  public int stripesPerCycle() {
    return blocks.length * servers;
  }

  /** Number of stripes; the last one may have fewer than {@code k} data members. */
  public long stripes() {
    return (rows + k - 1) / k;
  }

  /**
   * The server of a stripe's member; positions {@code 0..k-1} are data, {@code k..k+r-1} parity.
   */
  public int serverOf(long stripe, int position) {
    int inCycle = (int) (stripe % stripesPerCycle());
    int rotated = blocks[inCycle / servers][position] + inCycle % servers;
    return rotated >= servers ? rotated - servers : rotated;
  }

  /** The server that owns a row. */
  public int serverOfRow(long row) {
    return serverOf(row / k, (int) (row % k));
  }

  /** The row's place among the rows of its server: {@code 0 .. dataCapacity() - 1}. */
  public long indexOfRow(long row) {
    long stripe = row / k;
    int inCycle = (int) (stripe % stripesPerCycle());
    long cycle = stripe / stripesPerCycle();
    return (cycle * blocks.length + inCycle / servers) * k + row % k;
  }

  /** The place of parity {@code parity} of a stripe among the parities of its server. */
  public long indexOfParity(long stripe, int parity) {
    int inCycle = (int) (stripe % stripesPerCycle());
    long cycle = stripe / stripesPerCycle();
    return (cycle * blocks.length + inCycle / servers) * r + parity;
  }

  /** The inverse of {@link #indexOfRow}; the result may be {@code >= rows()} in the last cycle. */
  public long rowAt(int server, long index) {
    int position = (int) (index % k);
    return stripeAt(server, index / k, position) * k + position;
  }

  /** The stripe whose parity a server holds at an index; may be {@code >= stripes()}. */
  public long stripeOfParityAt(int server, long index) {
    return stripeAt(server, index / r, k + (int) (index % r));
  }

  private long stripeAt(int server, long blockNumber, int position) {
    int block = (int) (blockNumber % blocks.length);
    long cycle = blockNumber / blocks.length;
    int rotation = Math.floorMod(server - blocks[block][position], servers);
    return cycle * stripesPerCycle() + (long) block * servers + rotation;
  }

  /** Row places that every server has, the unused ones of the last cycle included. */
  public long dataCapacity() {
    return cycles() * blocks.length * k;
  }

  /** Parity places that every server has. */
  public long parityCapacity() {
    return cycles() * blocks.length * r;
  }

  private long cycles() {
    return (stripes() + stripesPerCycle() - 1) / stripesPerCycle();
  }
}
