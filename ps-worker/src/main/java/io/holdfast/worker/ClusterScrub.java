package io.holdfast.worker;

import io.holdfast.config.job.JobSpec;
import io.holdfast.config.job.Redundancy;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.placement.StripeMap;
import io.holdfast.config.protocol.DataMessage;
import io.holdfast.config.protocol.DataMessage.ScrubKind;
import io.holdfast.worker.ScrubFindings.Kind;
import io.holdfast.worker.ScrubFindings.WrongMember;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Asks all live servers to compare what they keep for others with what it protects, piece by piece,
 * and sums up what they say. Training may go on meanwhile. For one thread.
 *
 * <p>Each server gets a few questions at a time. A question that is not answered in time is
 * repeated under its number, which the server knows if it is still at it; one that a newer epoch
 * refused is repeated in that epoch.
 */
public final class ClusterScrub {
  /** Parity rows of a question. */
  private static final long PIECE_ROWS = 1024;

  private static final int QUESTIONS_PER_SERVER = 2;

  /** With a limited rate a piece is so much of a second's. */
  private static final long PIECES_PER_SECOND = 10;

  private static final int MEMBERS_MAX = 100;

  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;

  private final ClusterReader reader;
  private final JobSpec job;
  private final StripeMap map;
  private final boolean repair;
  private final long rowsPerSecond;
  private final List<Walk> walks = new ArrayList<>();
  private final Map<Long, Question> open = new HashMap<>();
  private final Set<WrongMember> members = new LinkedHashSet<>();
  private long parities;
  private long rows;
  private long nnReplicas;
  private long wrong;
  private long located;
  private long repaired;
  private double deviation;

  /** One server's parities or copies, asked for from the first to the last. */
  private static final class Walk {
    final int server;
    final ScrubKind kind;
    final long end;
    long asked;
    long done;
    int questions;

    Walk(int server, ScrubKind kind, long end) {
      this.server = server;
      this.kind = kind;
      this.end = end;
    }
  }

  private static final class Question {
    final Walk walk;
    final long from;
    final long to;
    long sentNanos;

    Question(Walk walk, long from, long to) {
      this.walk = walk;
      this.from = from;
      this.to = to;
    }
  }

  /** Hears how far a scrub is. */
  @FunctionalInterface
  public interface Progress {
    /** {@code done} of {@code total} parity rows and NN copies were looked at. */
    void at(long done, long total);
  }

  /**
   * A scrub of a whole cluster.
   *
   * @param repair whether what can be located is put right
   * @param rowsPerSecond most parity rows in a second over all servers; 0: no limit
   * @throws IllegalArgumentException if nothing of the reader's job is redundant
   */
  public ClusterScrub(ClusterReader reader, boolean repair, long rowsPerSecond) {
    this.reader = reader;
    this.job = reader.job();
    this.map = job.stripeMap();
    this.repair = repair;
    this.rowsPerSecond = rowsPerSecond;
    Redundancy redundancy = job.redundancy();
    if (!redundancy.isOn() && redundancy.nnReplicas() == 0) {
      throw new IllegalArgumentException("nothing of the job is redundant");
    }
    for (int server = 0; server < job.servers(); server++) {
      if (redundancy.isOn()) {
        walks.add(new Walk(server, ScrubKind.PARITIES, map.parityCapacity()));
      }
      if (redundancy.nnReplicas() > 0) {
        walks.add(new Walk(server, ScrubKind.NN_REPLICAS, job.nnShards().count()));
      }
    }
  }

  /** Compares everything; blocks until all servers have answered. */
  public ScrubFindings run(Progress progress) {
    long total = walks.stream().mapToLong(walk -> walk.end).sum();
    long start = System.nanoTime();
    long heard = start;
    long before = 0;
    while (true) {
      long now = System.nanoTime();
      giveUpLost();
      ask(now, now - start);
      long done = walks.stream().mapToLong(walk -> walk.done).sum();
      if (done == total) {
        return findings();
      }
      if (done != before || open.isEmpty()) {
        heard = now; // With no question open it waits for its rate.
        before = done;
        progress.at(done, total);
      }
      reader.requirePatience(now - heard);
      boolean moved = reader.step(this::onMessage);
      repeat(System.nanoTime(), moved);
    }
  }

  /** What a lost server kept is gone; nobody can compare it. */
  private void giveUpLost() {
    for (Walk walk : walks) {
      if (walk.done < walk.end && reader.standIns().isLost(walk.server)) {
        walk.asked = walk.end;
        walk.done = walk.end;
        open.values().removeIf(question -> question.walk == walk);
      }
    }
  }

  private void ask(long now, long elapsedNanos) {
    for (Walk walk : walks) {
      while (walk.asked < walk.end
          && walk.questions < QUESTIONS_PER_SERVER
          && (walk.kind == ScrubKind.NN_REPLICAS || mayAsk(elapsedNanos))) {
        long to = Math.min(walk.end, walk.asked + pieceRows());
        send(new Question(walk, walk.asked, to), now);
        walk.questions++;
        walk.asked = to;
      }
    }
  }

  private boolean mayAsk(long elapsedNanos) {
    if (rowsPerSecond == 0) {
      return true;
    }
    long asked =
        walks.stream()
            .filter(walk -> walk.kind == ScrubKind.PARITIES)
            .mapToLong(walk -> walk.asked)
            .sum();
    return asked <= elapsedNanos / 1e9 * rowsPerSecond;
  }

  private long pieceRows() {
    return rowsPerSecond == 0
        ? PIECE_ROWS
        : Math.clamp(rowsPerSecond / PIECES_PER_SECOND, 1, PIECE_ROWS);
  }

  private void send(Question question, long now) {
    long request = reader.requests().next();
    open.put(request, question);
    send(request, question, now);
  }

  private void send(long request, Question question, long now) {
    question.sentNanos = now;
    reader
        .endpoint()
        .send(
            NodeId.server(question.walk.server),
            new DataMessage.Scrub(request, question.walk.kind, question.from, question.to, repair));
  }

  private void repeat(long now, boolean all) {
    open.forEach(
        (request, question) -> {
          if (all || now - question.sentNanos > job.retryNanos()) {
            send(request, question, now);
          }
        });
  }

  private void onMessage(NodeId from, DataMessage message) {
    if (!(message instanceof DataMessage.Scrubbed found)) {
      return; // A refusal: repeated later.
    }
    Question question = open.get(found.request());
    if (question == null) {
      return; // Answered before.
    }
    if (found.next() <= question.from || found.next() > question.to) {
      throw new IllegalStateException(
          from
              + " was asked for "
              + question.from
              + " to "
              + question.to
              + " and went on to "
              + found.next());
    }
    open.remove(found.request());
    count(question.walk, found);
    question.walk.done += found.next() - question.from;
    if (found.next() < question.to) {
      send(new Question(question.walk, found.next(), question.to), System.nanoTime());
    } else {
      question.walk.questions--;
    }
  }

  private void count(Walk walk, DataMessage.Scrubbed found) {
    if (walk.kind == ScrubKind.PARITIES) {
      parities += found.compared();
      rows += found.rows();
    } else {
      nnReplicas += found.compared();
    }
    wrong += found.wrong();
    located += found.located();
    repaired += found.repaired();
    deviation = Math.max(deviation, found.deviation());
    MemorySegment told = found.members().segment();
    for (long at = 0; at + 2 * Long.BYTES <= told.byteSize(); at += 2 * Long.BYTES) {
      if (members.size() < MEMBERS_MAX) {
        members.add(member(walk, told.get(LONG, at), (int) told.get(LONG, at + Long.BYTES)));
      }
    }
  }

  private WrongMember member(Walk walk, long index, int position) {
    if (walk.kind == ScrubKind.NN_REPLICAS) {
      return new WrongMember(Kind.NN_SHARD, index, -1, -1, position < 0 ? walk.server : position);
    }
    if (position < 0 || position >= map.k() + map.r()) {
      return new WrongMember(Kind.STRIPE, index, -1, -1, walk.server);
    }
    boolean row = position < map.k();
    return new WrongMember(
        row ? Kind.ROW : Kind.PARITY,
        index,
        position,
        row ? index * map.k() + position : -1,
        map.serverOf(index, position));
  }

  private ScrubFindings findings() {
    return new ScrubFindings(
        parities, rows, nnReplicas, wrong, located, repaired, deviation, List.copyOf(members));
  }
}
