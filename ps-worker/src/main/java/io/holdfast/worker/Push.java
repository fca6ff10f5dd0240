package io.holdfast.worker;

import io.holdfast.config.fault.FaultPoints;
import io.holdfast.config.fault.InjectionPoint;
import io.holdfast.config.job.CommitMode;
import io.holdfast.config.job.JobSpec;
import io.holdfast.config.job.Redundancy;
import io.holdfast.config.job.StandIns;
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
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

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
 *
 * <p>A lost server stays a participant, but what it was to hold is split: each of its stand-ins
 * gets a part with the rows for which it stands in, and the deputy one in any case, with the NN
 * shards, if there are any: it may be the one that has to record the data. A part that was APPLIED
 * is so at all who hold redundant copies, so it stays done; any other goes to the stand-ins, also
 * after the decision, and is committed there as soon as it is staged; and back again, when a new
 * process takes the lost one's place. Parts of lost servers have no witnesses (their own backups
 * are their stand-ins), and lost servers are no witnesses.
 */
final class Push {
  private enum Phase {
    WAITING,
    STAGING,
    STAGED,
    APPLIED
  }

  /**
   * What one server is to hold: its own part, another's as a witness, or some of a lost server's.
   * No two that may still be answered have the same owner and addressee.
   */
  private static final class Part {
    final int owner;
    final int at;
    final boolean witness;
    final PlannedRows rows;

    /** Whether the owner's NN shards belong to it. */
    final boolean withShards;

    Phase phase = Phase.WAITING;
    long retryAtNanos;

    Part(int owner, int at, boolean witness, PlannedRows rows, boolean withShards) {
      this.owner = owner;
      this.at = at;
      this.witness = witness;
      this.rows = rows;
      this.withShards = withShards;
    }

    boolean isStaged() {
      return phase == Phase.STAGED || phase == Phase.APPLIED;
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

  Push(Iteration iteration, JobSpec job, NnShards shards, StandIns standIns) {
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
      PlannedRows rows =
          PlannedRows.run(iteration.plan.start(server), iteration.plan.start(server + 1));
      if (rows.count() == 0 && shardsOf(server) == 0) {
        continue;
      }
      taking[count++] = server;
      if (standIns.isLost(server)) {
        split(server, rows, true, standIns);
        continue;
      }
      parts.add(new Part(server, server, false, rows, true));
      for (int copy = 0; copy < witnesses; copy++) {
        int backup = Backups.backup(server, copy, servers);
        if (!standIns.isLost(backup)) {
          parts.add(new Part(server, backup, true, rows, true));
        }
      }
    }
    this.participants = Participants.of(Arrays.copyOf(taking, count));
  }

  /** Adds parts for all who have some of an owner's rows, or its shards, now. */
  private void split(int owner, PlannedRows rows, boolean withShards, StandIns standIns) {
    int deputy = withShards ? standIns.deputy(owner) : -1;
    if (withShards && deputy < 0) {
      throw new IllegalStateException("no live server acts for server-" + owner);
    }
    PlannedRows[] byServer = rows.byServer(iteration.plan, standIns);
    for (int at = 0; at < byServer.length; at++) {
      if (byServer[at] != null || at == deputy) {
        requireNone(owner, at);
        PlannedRows some = byServer[at] == null ? PlannedRows.none() : byServer[at];
        parts.add(new Part(owner, at, false, some, at == deputy));
      }
    }
  }

  /** Else nobody could tell which part an answer is about. */
  private void requireNone(int owner, int at) {
    for (Part part : parts) {
      if (part.owner == owner && part.at == at && part.phase != Phase.APPLIED) {
        throw new IllegalStateException(
            "server-" + at + " has a part of server-" + owner + "'s and cannot get another");
      }
    }
  }

  /**
   * Another epoch: what was to be applied at servers that do not act for its owner any more goes to
   * those that do. New parts wait; {@link #stage(boolean[], Outbox, long, long, long)} sends them.
   */
  void move(StandIns standIns) {
    // By owner: those of several stand-ins become one again when the owner has a process again.
    Map<Integer, Part> moved = new TreeMap<>();
    for (Iterator<Part> each = parts.iterator(); each.hasNext(); ) {
      Part part = each.next();
      if (part.phase != Phase.APPLIED && !isRight(part, standIns)) {
        each.remove();
        if (!part.witness) {
          moved.merge(part.owner, part, Push::both);
        }
      }
    }
    for (Part part : moved.values()) {
      split(part.owner, part.rows, part.withShards, standIns);
    }
  }

  private static Part both(Part one, Part other) {
    return new Part(
        one.owner, one.at, false, one.rows.with(other.rows), one.withShards || other.withShards);
  }

  private boolean isRight(Part part, StandIns standIns) {
    if (standIns.isLost(part.at)) {
      return false;
    }
    if (part.witness) {
      return !standIns.isLost(part.owner);
    }
    return (part.at == part.owner && !standIns.isLost(part.owner))
        || (part.rows.areAt(part.at, iteration.plan, standIns)
            && (!part.withShards || standIns.deputy(part.owner) == part.at));
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
    int rows = part.rows.count();
    int rowMessages = (rows + rowsPerMessage - 1) / rowsPerMessage;
    int shardMessages = part.withShards ? shardsOf(owner) : 0;
    if (rowMessages + shardMessages == 0) {
      rowMessages = 1; // A deputy for which there is nothing but the record.
    }
    int messages = rowMessages + shardMessages;
    int number = 0;
    while (number < rowMessages) {
      int from = number * rowsPerMessage;
      PlannedRows some = part.rows.slice(from, Math.min(rows, from + rowsPerMessage));
      out.send(
          to,
          new DataMessage.StageRows(
              header(watermark, owner, number++, messages),
              participants,
              some.ids(iteration),
              some.values(iteration, dim)));
    }
    if (shardMessages == 0) {
      return;
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
      if (!part.witness) {
        commit(part, out, watermark, nowNanos + retryNanos);
        FaultPoints.reached(InjectionPoint.COMMITTING);
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
        if (decided && !onePhase && !part.witness) {
          commit(part, out, watermark, nowNanos + retryNanos);
        }
      }
    }
  }

  void onApplied(int server, int owner) {
    for (Part part : parts) {
      if (decided && part.at == server && part.owner == owner && !part.witness) {
        part.phase = Phase.APPLIED;
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
          && !part.witness) {
        part.phase = Phase.STAGING;
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
          if (onePhase && !part.witness) {
            stage(part, out, watermark, nowNanos + retryNanos); // Asks whether it is applied.
          } else if (decided && !part.witness) {
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
    for (Part part : parts) {
      if (!part.isStaged()) {
        return false;
      }
    }
    return true;
  }

  boolean decided() {
    return decided;
  }

  boolean allApplied() {
    for (Part part : parts) {
      if (!part.witness && part.phase != Phase.APPLIED) {
        return false;
      }
    }
    return true;
  }
}
