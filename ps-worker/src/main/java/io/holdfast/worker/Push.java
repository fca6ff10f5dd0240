package io.holdfast.worker;

import io.holdfast.config.job.CommitMode;
import io.holdfast.config.job.JobSpec;
import io.holdfast.config.job.Redundancy;
import io.holdfast.config.placement.Backups;
import io.holdfast.config.placement.NnShards;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.protocol.DataMessage;
import io.holdfast.config.protocol.Outbox;
import io.holdfast.config.protocol.Participants;
import io.holdfast.config.protocol.Payload;
import io.holdfast.config.protocol.RefusalReason;
import io.holdfast.config.protocol.TxHeader;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The two-phase commit of one iteration, seen from its coordinator, the worker.
 *
 * <p>Each participant's part goes {@code WAITING -> STAGING -> STAGED -> APPLIED}; it waits until
 * the worker's older transactions are staged there. Else, where a part was lost, two transactions
 * could each hold the staging memory that the other one needs at another server, for ever. The
 * transaction is decided once all are at least STAGED and {@link #commit} is called. A participant
 * that lost its staged part after the decision (it answers UNKNOWN_TRANSACTION) goes back to
 * STAGING and is told to commit as soon as it has staged again: the decision stands.
 *
 * <p>With witnesses each participant's part is staged at its owner's backups too, and ends there as
 * STAGED. In one phase there is no decision: each server applies what it has staged.
 */
final class Push {
  private enum Phase {
    WAITING,
    STAGING,
    STAGED,
    APPLIED
  }

  /** What one server is to hold: its own part, or another's as a witness. */
  private static final class Part {
    final int owner;
    final int at;
    Phase phase = Phase.WAITING;
    long retryAtNanos;

    Part(int owner, int at) {
      this.owner = owner;
      this.at = at;
    }

    boolean isWitness() {
      return owner != at;
    }
  }

  /** After a refusal that will pass, try again so much sooner than after silence. */
  static final int REFUSED_RETRY_DIVISOR = 32;

  private final Iteration iteration;
  private final NnShards shards;
  private final int dim;
  private final int rowsPerMessage;
  private final Participants participants;
  private final List<Part> parts = new ArrayList<>();
  private final boolean onePhase;
  private boolean decided;
  private int staged;
  private int applied;

  Push(Iteration iteration, JobSpec job, NnShards shards) {
    this.iteration = iteration;
    this.shards = shards;
    this.dim = job.model().dim();
    this.rowsPerMessage = Math.max(1, job.messageBytesMax() / (Long.BYTES + dim * Float.BYTES));
    this.onePhase = job.commit() == CommitMode.ONE_PHASE;
    this.decided = onePhase;
    int servers = job.servers();
    Redundancy redundancy = job.redundancy();
    int witnesses = redundancy.witness() ? redundancy.r() : 0;
    int[] taking = new int[servers];
    int count = 0;
    for (int server = 0; server < servers; server++) {
      if (rows(server) > 0 || shardsOf(server) > 0) {
        taking[count++] = server;
        parts.add(new Part(server, server));
        for (int copy = 0; copy < witnesses; copy++) {
          parts.add(new Part(server, Backups.backup(server, copy, servers)));
        }
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
   * Phase 1: sends parts that wait to servers that are not claimed by an older transaction.
   *
   * @param claimed by server; those that this one claims now are added
   */
  void stage(boolean[] claimed, Outbox out, long watermark, long nowNanos, long retryNanos) {
    for (Part part : parts) {
      if (part.phase == Phase.WAITING && !claimed[part.at]) {
        part.phase = Phase.STAGING;
        stage(part, out, watermark, nowNanos + retryNanos);
      }
    }
    for (Part part : parts) {
      claimed[part.at] |= part.phase == Phase.WAITING || part.phase == Phase.STAGING;
    }
  }

  private void stage(Part part, Outbox out, long watermark, long retryAt) {
    part.retryAtNanos = retryAt;
    int owner = part.owner;
    NodeId to = NodeId.server(part.at);
    int from = iteration.plan.start(owner);
    int end = iteration.plan.start(owner + 1);
    int rowMessages = (end - from + rowsPerMessage - 1) / rowsPerMessage;
    int messages = rowMessages + shardsOf(owner);
    int number = 0;
    long rowBytes = (long) dim * Float.BYTES;
    for (; from < end; from += rowsPerMessage) {
      int count = Math.min(rowsPerMessage, end - from);
      MemorySegment ids =
          iteration.rowIds().asSlice((long) from * Long.BYTES, (long) count * Long.BYTES);
      MemorySegment gradients = iteration.rowValues().asSlice(from * rowBytes, count * rowBytes);
      out.send(
          to,
          new DataMessage.StageRows(
              header(watermark, owner, number++, messages),
              participants,
              Payload.of(ids),
              Payload.of(gradients)));
    }
    for (int shard = owner; shard < shards.count(); shard += shards.servers()) {
      MemorySegment gradients =
          iteration.parameterGradients.asSlice(
              (long) shards.from(shard) * Float.BYTES, (long) shards.length(shard) * Float.BYTES);
      out.send(
          to,
          new DataMessage.StageShard(
              header(watermark, owner, number++, messages),
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
    for (Part part : parts) {
      if (!part.isWitness()) {
        commit(part, out, watermark, nowNanos + retryNanos);
      }
    }
  }

  private void commit(Part part, Outbox out, long watermark, long retryAt) {
    part.retryAtNanos = retryAt;
    out.send(NodeId.server(part.at), new DataMessage.Commit(iteration.tx, part.owner, watermark));
  }

  void onStaged(int server, int owner, Outbox out, long watermark, long nowNanos, long retryNanos) {
    for (Part part : parts) {
      if (part.at == server && part.owner == owner && part.phase == Phase.STAGING) {
        part.phase = Phase.STAGED;
        staged++;
        if (decided && !onePhase && !part.isWitness()) {
          commit(part, out, watermark, nowNanos + retryNanos);
        }
      }
    }
  }

  void onApplied(int server) {
    for (Part part : parts) {
      if (decided && part.at == server && !part.isWitness() && part.phase != Phase.APPLIED) {
        if (part.phase != Phase.STAGED) {
          staged++;
        }
        part.phase = Phase.APPLIED;
        applied++;
      }
    }
  }

  /** A refusal that will pass: try again soon. */
  void onRefused(int server, RefusalReason reason, long nowNanos, long retryNanos) {
    for (Part part : parts) {
      if (part.at != server || part.phase == Phase.APPLIED) {
        continue;
      }
      if (reason == RefusalReason.UNKNOWN_TRANSACTION
          && part.phase == Phase.STAGED
          && !part.isWitness()) {
        part.phase = Phase.STAGING;
        staged--;
        part.retryAtNanos = nowNanos;
      } else {
        part.retryAtNanos = nowNanos + retryNanos / REFUSED_RETRY_DIVISOR;
      }
    }
  }

  /** Sends again what was not answered in time; everything if {@code all}. */
  void retry(Outbox out, long watermark, long nowNanos, long retryNanos, boolean all) {
    for (Part part : parts) {
      if (!all && nowNanos - part.retryAtNanos < 0) {
        continue;
      }
      switch (part.phase) {
        case STAGING -> stage(part, out, watermark, nowNanos + retryNanos);
        case STAGED -> {
          if (onePhase && !part.isWitness()) {
            stage(part, out, watermark, nowNanos + retryNanos); // Asks whether it is applied.
          } else if (decided && !part.isWitness()) {
            commit(part, out, watermark, nowNanos + retryNanos);
          }
        }
        case WAITING, APPLIED -> {
          // Nothing is owed.
        }
      }
    }
  }

  boolean allStaged() {
    return staged == parts.size();
  }

  boolean decided() {
    return decided;
  }

  boolean allApplied() {
    return applied == participants.count();
  }
}
