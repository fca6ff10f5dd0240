package io.holdfast.worker;

import io.holdfast.config.placement.NnShards;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.protocol.DataMessage;
import io.holdfast.config.protocol.Outbox;
import io.holdfast.config.protocol.Participants;
import io.holdfast.config.protocol.Payload;
import io.holdfast.config.protocol.RefusalReason;
import io.holdfast.config.protocol.TxHeader;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * The two-phase commit of one iteration, seen from its coordinator, the worker.
 *
 * <p>Each participant goes {@code WAITING -> STAGING -> STAGED -> APPLIED}; it waits until the
 * worker's older transactions are staged there. Else, where a part was lost, two transactions could
 * each hold the staging memory that the other one needs at another server, for ever. The
 * transaction is decided once all are at least STAGED and {@link #commit} is called. A participant
 * that lost its staged part after the decision (it answers UNKNOWN_TRANSACTION) goes back to
 * STAGING and is told to commit as soon as it has staged again: the decision stands.
 */
final class Push {
  private enum Phase {
    ABSENT,
    WAITING,
    STAGING,
    STAGED,
    APPLIED
  }

  /** After a refusal that will pass, try again so much sooner than after silence. */
  static final int REFUSED_RETRY_DIVISOR = 32;

  private final Iteration iteration;
  private final NnShards shards;
  private final int dim;
  private final int rowsPerMessage;
  private final Participants participants;
  private final Phase[] phases;
  private final long[] retryAtNanos;
  private boolean decided;
  private int staged;
  private int applied;

  Push(Iteration iteration, NnShards shards, int servers, int dim, int messageBytesMax) {
    this.iteration = iteration;
    this.shards = shards;
    this.dim = dim;
    this.rowsPerMessage = Math.max(1, messageBytesMax / (Long.BYTES + dim * Float.BYTES));
    this.phases = new Phase[servers];
    this.retryAtNanos = new long[servers];
    int[] taking = new int[servers];
    int count = 0;
    for (int server = 0; server < servers; server++) {
      boolean takesPart = rows(server) > 0 || shardsOf(server) > 0;
      phases[server] = takesPart ? Phase.WAITING : Phase.ABSENT;
      if (takesPart) {
        taking[count++] = server;
      }
    }
    this.participants = Participants.of(Arrays.copyOf(taking, count));
  }

  private int rows(int server) {
    return iteration.plan.start(server + 1) - iteration.plan.start(server);
  }

  private int shardsOf(int server) {
    return server >= shards.count()
        ? 0
        : (shards.count() - server + shards.servers() - 1) / shards.servers();
  }

  /**
   * Phase 1: sends their parts to the participants that wait and are not claimed by an older
   * transaction.
   *
   * @param claimed by server; those that this one claims now are added
   */
  void stage(boolean[] claimed, Outbox out, long watermark, long nowNanos, long retryNanos) {
    for (int i = 0; i < participants.count(); i++) {
      int server = participants.get(i);
      if (phases[server] == Phase.WAITING && !claimed[server]) {
        phases[server] = Phase.STAGING;
        stage(server, out, watermark, nowNanos + retryNanos);
      }
      claimed[server] |= phases[server] == Phase.WAITING || phases[server] == Phase.STAGING;
    }
  }

  private void stage(int server, Outbox out, long watermark, long retryAt) {
    retryAtNanos[server] = retryAt;
    NodeId to = NodeId.server(server);
    int from = iteration.plan.start(server);
    int end = iteration.plan.start(server + 1);
    int rowParts = (end - from + rowsPerMessage - 1) / rowsPerMessage;
    int parts = rowParts + shardsOf(server);
    int part = 0;
    long rowBytes = (long) dim * Float.BYTES;
    for (; from < end; from += rowsPerMessage) {
      int count = Math.min(rowsPerMessage, end - from);
      MemorySegment ids =
          iteration.rowIds().asSlice((long) from * Long.BYTES, (long) count * Long.BYTES);
      MemorySegment gradients = iteration.rowValues().asSlice(from * rowBytes, count * rowBytes);
      out.send(
          to,
          new DataMessage.StageRows(
              header(watermark, server, part++, parts),
              participants,
              Payload.of(ids),
              Payload.of(gradients)));
    }
    for (int shard = server; shard < shards.count(); shard += shards.servers()) {
      MemorySegment gradients =
          iteration.parameterGradients.asSlice(
              (long) shards.from(shard) * Float.BYTES, (long) shards.length(shard) * Float.BYTES);
      out.send(
          to,
          new DataMessage.StageShard(
              header(watermark, server, part++, parts),
              participants,
              shard,
              Payload.of(gradients)));
    }
  }

  private TxHeader header(long watermark, int owner, int part, int parts) {
    return new TxHeader(
        iteration.tx, watermark, iteration.learningRate, owner, iteration.range, part, parts);
  }

  /** Phase 2: the decision, sent to every participant. */
  void commit(Outbox out, long watermark, long nowNanos, long retryNanos) {
    if (!allStaged()) {
      throw new IllegalStateException(iteration.tx + " is not staged everywhere");
    }
    decided = true;
    for (int i = 0; i < participants.count(); i++) {
      commit(participants.get(i), out, watermark, nowNanos + retryNanos);
    }
  }

  private void commit(int server, Outbox out, long watermark, long retryAt) {
    retryAtNanos[server] = retryAt;
    out.send(NodeId.server(server), new DataMessage.Commit(iteration.tx, watermark));
  }

  void onStaged(int server, Outbox out, long watermark, long nowNanos, long retryNanos) {
    if (phases[server] != Phase.STAGING) {
      return;
    }
    phases[server] = Phase.STAGED;
    staged++;
    if (decided) {
      commit(server, out, watermark, nowNanos + retryNanos);
    }
  }

  void onApplied(int server) {
    if (!decided || phases[server] == Phase.APPLIED || phases[server] == Phase.ABSENT) {
      return;
    }
    if (phases[server] == Phase.STAGING) {
      staged++;
    }
    phases[server] = Phase.APPLIED;
    applied++;
  }

  /** A refusal that will pass: try again soon. */
  void onRefused(int server, RefusalReason reason, long nowNanos, long retryNanos) {
    if (phases[server] == Phase.ABSENT || phases[server] == Phase.APPLIED) {
      return;
    }
    if (reason == RefusalReason.UNKNOWN_TRANSACTION && phases[server] == Phase.STAGED) {
      phases[server] = Phase.STAGING;
      staged--;
      retryAtNanos[server] = nowNanos;
    } else {
      retryAtNanos[server] = nowNanos + retryNanos / REFUSED_RETRY_DIVISOR;
    }
  }

  /** Sends again what was not answered in time; everything if {@code all}. */
  void retry(Outbox out, long watermark, long nowNanos, long retryNanos, boolean all) {
    for (int i = 0; i < participants.count(); i++) {
      int server = participants.get(i);
      if (!all && nowNanos - retryAtNanos[server] < 0) {
        continue;
      }
      switch (phases[server]) {
        case STAGING -> stage(server, out, watermark, nowNanos + retryNanos);
        case STAGED -> {
          if (decided) {
            commit(server, out, watermark, nowNanos + retryNanos);
          }
        }
        case ABSENT, WAITING, APPLIED -> {
          // Nothing is owed.
        }
      }
    }
  }

  boolean allStaged() {
    return staged == participants.count();
  }

  boolean decided() {
    return decided;
  }

  boolean allApplied() {
    return applied == participants.count();
  }
}
