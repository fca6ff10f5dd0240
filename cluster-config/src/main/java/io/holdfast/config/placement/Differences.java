package io.holdfast.config.placement;

import io.holdfast.config.model.ParameterInit;
import java.util.stream.LongStream;

/**
 * How often each difference modulo the number of servers occurs in the blocks of a {@link
 * StripeMap}: between any two members, from data to any parity, from data to the first parity. If
 * all are equally frequent, a server shares everything equally with all others.
 */
final class Differences {
  /** Orders of a set's members of which the best is taken. */
  private static final int ORDERS = 16;

  private final int servers;
  private final int k;
  private final int r;
  private final long[] pairs;
  private final long[] parities;
  private final long[] firstParity;

  Differences(int servers, int k, int r) {
    this.servers = servers;
    this.k = k;
    this.r = r;
    pairs = new long[servers];
    parities = new long[servers];
    firstParity = new long[servers];
  }

  /** Counts a block. */
  void add(int[] block) {
    for (int a = 0; a < k + r; a++) {
      for (int b = 0; b < k + r; b++) {
        if (a != b) {
          pairs[difference(block[a], block[b])]++;
        }
      }
    }
    for (int data = 0; data < k; data++) {
      for (int parity = 0; parity < r; parity++) {
        parities[difference(block[data], block[k + parity])]++;
      }
      if (r > 0) {
        firstParity[difference(block[data], block[k])]++;
      }
    }
  }

  private int difference(int from, int to) {
    return to >= from ? to - from : to - from + servers;
  }

  /** The most frequent to the least frequent difference, of the kind for which that is largest. */
  double balance() {
    double worst = balance(pairs);
    return r == 0 ? worst : Math.max(worst, Math.max(balance(parities), balance(firstParity)));
  }

  private static double balance(long[] counts) {
    long least = LongStream.of(counts).skip(1).min().orElse(0);
    long most = LongStream.of(counts).skip(1).max().orElse(0);
    if (most == 0) {
      return 1;
    }
    return least == 0 ? Double.MAX_VALUE : (double) most / least;
  }

  /**
   * An order of a set's members: the one of some whose {@code turns} rotations would leave the
   * differences to parities most even.
   */
  int[] bestOrder(int[] members, int set, int turns) {
    int[] best = shuffled(members, set, 0);
    long bestCost = Long.MAX_VALUE;
    for (int order = 0; order < ORDERS; order++) {
      int[] ring = shuffled(members, set, order);
      count(ring, turns, 1);
      long cost =
          LongStream.concat(LongStream.of(parities), LongStream.of(firstParity))
              .map(count -> count * count)
              .sum();
      count(ring, turns, -1);
      if (cost < bestCost) {
        bestCost = cost;
        best = ring;
      }
    }
    return best;
  }

  /** Adds differences to parities of all rotations, {@code sign} times. */
  private void count(int[] ring, int turns, int sign) {
    for (int turn = 0; turn < turns; turn++) {
      for (int data = 0; data < k; data++) {
        int from = ring[(data + turn) % ring.length];
        for (int parity = 0; parity < r; parity++) {
          int difference = difference(from, ring[(k + parity + turn) % ring.length]);
          parities[difference] += sign;
          firstParity[difference] += parity == 0 ? sign : 0;
        }
      }
    }
  }

  private static int[] shuffled(int[] members, int set, int order) {
    int[] ring = members.clone();
    for (int i = ring.length - 1; i > 0; i--) {
      long random = ParameterInit.mix(((long) order << 40) + 31L * set + i);
      int j = (int) Long.remainderUnsigned(random, i + 1);
      int swap = ring[i];
      ring[i] = ring[j];
      ring[j] = swap;
    }
    return ring;
  }
}
