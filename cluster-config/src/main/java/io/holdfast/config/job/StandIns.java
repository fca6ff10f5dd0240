package io.holdfast.config.job;

import io.holdfast.config.placement.Backups;
import io.holdfast.config.placement.Member;
import io.holdfast.config.placement.NnShards;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.placement.PlacementMap;
import io.holdfast.config.placement.StripeMap;
import java.util.Arrays;
import java.util.Optional;

/**
 * Who acts for servers that are lost, in an epoch. A function of the job and of who is alive, so
 * all who have the same map agree without a word: for a row the first live holder of a parity of
 * its stripe, for NN shards and the record of committed data the first live backup. Immutable.
 *
 * <p>"Lost" is a server whose index no live process has.
 */
public final class StandIns {
  private final StripeMap stripes;
  private final NnShards shards;
  private final boolean[] live;
  private final boolean anyLost;
  private final int nnReplicas;
  private final int ledgerCopies;

  private StandIns(JobSpec job, boolean[] live) {
    this.stripes = job.stripeMap();
    this.shards = job.nnShards();
    this.live = live;
    this.nnReplicas = job.redundancy().isOn() ? job.redundancy().nnReplicas() : 0;
    this.ledgerCopies = job.redundancy().r();
    boolean lost = false;
    for (boolean each : live) {
      lost |= !each;
    }
    anyLost = lost;
  }

  /** Nobody is lost. */
  public static StandIns none(JobSpec job) {
    boolean[] live = new boolean[job.servers()];
    Arrays.fill(live, true);
    return new StandIns(job, live);
  }

  /** Those of a map. */
  public static StandIns of(JobSpec job, PlacementMap map) {
    boolean[] live = new boolean[job.servers()];
    for (Member member : map.members()) {
      if (member.node().role() == NodeId.Role.SERVER
          && member.node().index() < live.length
          && !member.isCopying()) {
        live[member.node().index()] = true;
      }
    }
    return new StandIns(job, live);
  }

  public int servers() {
    return live.length;
  }

  /** Whether a server is lost. */
  public boolean isLost(int server) {
    return !live[server];
  }

  /** Whether any server is lost. */
  public boolean anyLost() {
    return anyLost;
  }

  /** The server that reads and writes a row now; -1 if nobody can. */
  public int ofRow(long row) {
    int owner = stripes.serverOfRow(row);
    return live[owner] ? owner : ofStripe(row / stripes.k());
  }

  /** The first live holder of a parity of a stripe; -1 if there is none. */
  public int ofStripe(long stripe) {
    for (int parity = 0; parity < stripes.r(); parity++) {
      int holder = stripes.serverOf(stripe, stripes.k() + parity);
      if (live[holder]) {
        return holder;
      }
    }
    return -1;
  }

  /** Whether no member of a stripe, parities included, is lost. */
  public boolean isWhole(long stripe) {
    return !anyLost || lostOf(stripe) == 0;
  }

  private int lostOf(long stripe) {
    int lost = 0;
    for (int position = 0; position < stripes.k() + stripes.r(); position++) {
      lost += live[stripes.serverOf(stripe, position)] ? 0 : 1;
    }
    return lost;
  }

  /**
   * The server that has a server's NN shards and record of committed data now: itself, or its first
   * live backup; -1 if nobody can.
   */
  public int deputy(int server) {
    if (live[server]) {
      return server;
    }
    for (int copy = 0; copy < Math.max(nnReplicas, ledgerCopies); copy++) {
      int backup = Backups.backup(server, copy, live.length);
      if (live[backup]) {
        return backup;
      }
    }
    return -1;
  }

  /** Whether {@code server} stands in for any row or shard of a lost one. */
  public boolean standsIn(int server, int lost) {
    if (!live[server] || live[lost]) {
      return false;
    }
    if (deputy(lost) == server) {
      return true;
    }
    for (int stripe = 0; stripe < firstStripes(); stripe++) {
      if (ofStripe(stripe) == server && holdsRow(lost, stripe)) {
        return true;
      }
    }
    return false;
  }

  /** Enough of them to see every pattern there is. */
  private long firstStripes() {
    return Math.min(stripes.stripes(), stripes.stripesPerCycle());
  }

  private boolean holdsRow(int server, long stripe) {
    for (int member = 0; member < stripes.k(); member++) {
      if (stripes.serverOf(stripe, member) == server) {
        return true;
      }
    }
    return false;
  }

  /** What nobody has any more, in words; empty if the survivors hold everything. */
  public Optional<String> missing() {
    for (int stripe = 0; stripe < firstStripes(); stripe++) {
      int lost = lostOf(stripe);
      if (lost > stripes.r()) {
        return Optional.of(
            lost
                + " of "
                + (stripes.k() + stripes.r())
                + " members of stripe "
                + stripe
                + " and of others, with r = "
                + stripes.r());
      }
    }
    for (int shard = 0; shard < shards.count(); shard++) {
      int primary = shards.primary(shard);
      if (!live[primary] && !hasBackup(primary, nnReplicas)) {
        return Optional.of("NN shard " + shard + " and all its " + nnReplicas + " copies");
      }
    }
    for (int server = 0; server < live.length; server++) {
      if (!live[server] && !hasBackup(server, ledgerCopies)) {
        return Optional.of("server-" + server + "'s record of committed data and all its copies");
      }
    }
    return Optional.empty();
  }

  private boolean hasBackup(int server, int copies) {
    for (int copy = 0; copy < copies; copy++) {
      if (live[Backups.backup(server, copy, live.length)]) {
        return true;
      }
    }
    return false;
  }
}
