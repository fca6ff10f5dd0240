package io.holdfast.server.scrub;

import io.holdfast.config.job.StandIns;
import io.holdfast.config.placement.NnShards;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.protocol.Outbox;
import io.holdfast.config.protocol.PeerMessage;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The comparison of some copies of NN shards with their primaries, a few at a time. The primary's
 * answer travels in the stream that brings its gradients, so when it arrives the copy is to have
 * the same number of updates and the same bytes.
 */
final class ShardPass {
  private static final Logger LOG = LoggerFactory.getLogger(ShardPass.class);

  /** Shards that are asked for at once. */
  private static final int AT_ONCE = 4;

  private final NodeId self;
  private final NnShards shards;
  private final KeptShards kept;
  private final Outbox outbox;
  private final long retryNanos;
  private final LongSupplier requests;
  private final int[] asked = new int[AT_ONCE];
  private final long[] numbers = new long[AT_ONCE];
  private final long[] askedNanos = new long[AT_ONCE];
  private Findings findings;
  private int open;
  private int next;
  private int end;
  private StandIns standIns;

  ShardPass(
      NodeId self,
      StandIns standIns,
      NnShards shards,
      KeptShards kept,
      Outbox outbox,
      long retryNanos,
      LongSupplier requests) {
    this.self = self;
    this.standIns = standIns;
    this.shards = shards;
    this.kept = kept;
    this.outbox = outbox;
    this.retryNanos = retryNanos;
    this.requests = requests;
  }

  boolean isIdle() {
    return open == 0 && next == end;
  }

  /** Begins with the copies among the shards {@code [from, to)}. */
  void start(int from, int to, Findings into, long nowNanos) {
    if (!isIdle()) {
      throw new IllegalStateException("a pass is under way");
    }
    findings = into;
    next = from;
    end = to;
    askMore(nowNanos);
  }

  /** Looks at no shard of lost primaries, and gives up those that are asked for. */
  void onEpoch(StandIns newer, long nowNanos) {
    standIns = newer;
    for (int slot = open - 1; slot >= 0; slot--) {
      if (newer.isLost(shards.primary(asked[slot]))) {
        open--;
        asked[slot] = asked[open];
        numbers[slot] = numbers[open];
        askedNanos[slot] = askedNanos[open];
      }
    }
    askMore(nowNanos);
  }

  private void askMore(long nowNanos) {
    while (next < end && open < AT_ONCE) {
      if (kept.isKept(next) && !standIns.isLost(shards.primary(next))) {
        asked[open] = next;
        ask(open, nowNanos);
        open++;
      }
      next++;
    }
  }

  private void ask(int slot, long nowNanos) {
    numbers[slot] = requests.getAsLong();
    askedNanos[slot] = nowNanos;
    outbox.send(
        NodeId.server(shards.primary(asked[slot])),
        new PeerMessage.CaptureShard(numbers[slot], asked[slot]));
  }

  /** A primary's word, in its stream. */
  void onCapturedShard(PeerMessage.CapturedShard message, long nowNanos) {
    for (int slot = 0; slot < open; slot++) {
      if (numbers[slot] == message.request() && asked[slot] == message.shard()) {
        compare(message);
        open--;
        asked[slot] = asked[open];
        numbers[slot] = numbers[open];
        askedNanos[slot] = askedNanos[open];
        askMore(nowNanos);
        return;
      }
    }
  }

  private void compare(PeerMessage.CapturedShard primary) {
    int shard = primary.shard();
    findings.compared++;
    // A new primary's epoch reaches its backups with its first gradient.
    boolean version = kept.version(shard).counter() == primary.version().counter();
    if (version && kept.digest(shard) == primary.digest()) {
      return;
    }
    findings.wrong++;
    findings.member(shard, -1);
    LOG.error(
        "{}: the copy of NN shard {} here and its primary on server-{} differ{}",
        self,
        shard,
        shards.primary(shard),
        version
            ? " after the same updates: the memory of one of them is damaged"
            : ": it is at " + kept.version(shard) + ", the primary at " + primary.version());
  }

  /** Asks again what was not answered in time. */
  void tick(long nowNanos) {
    for (int slot = 0; slot < open; slot++) {
      if (nowNanos - askedNanos[slot] >= retryNanos) {
        ask(slot, nowNanos);
      }
    }
  }
}
