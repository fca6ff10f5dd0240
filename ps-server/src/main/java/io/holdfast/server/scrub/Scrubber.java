package io.holdfast.server.scrub;

import io.holdfast.config.job.JobSpec;
import io.holdfast.config.job.StandIns;
import io.holdfast.config.placement.NnShards;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.placement.StripeMap;
import io.holdfast.config.protocol.DataMessage.Scrub;
import io.holdfast.config.protocol.DataMessage.ScrubKind;
import io.holdfast.config.protocol.DataMessage.Scrubbed;
import io.holdfast.config.protocol.Outbox;
import io.holdfast.config.protocol.PeerMessage;
import io.holdfast.config.protocol.RefusalReason;
import io.holdfast.erasure.ErasureCode;
import io.holdfast.server.storage.RefusedException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.LongSupplier;

/**
 * A holder's side of scrubs: takes what readers ask for, one piece after the other, and in between
 * looks at its parities and copies by itself at a set rate, round after round. No clock, no thread;
 * bounded memory, which is taken when there is first something to do.
 *
 * <p>By itself it skips parities that nothing was ever folded into; a reader's question looks at
 * all, so that a parity that missed all differences is found, too. By itself it also repairs what
 * it can locate.
 */
public final class Scrubber implements AutoCloseable {
  /** Stripes of a pass, and bytes of an owner's answer, at most. */
  private static final int PASS_STRIPES = 256;

  private static final int ANSWER_BYTES = 256 << 10;
  private static final int MESSAGE_OVERHEAD_BYTES = 256;

  /** Parities that are looked at for a pass by itself, touched or not. */
  private static final int LOOK_AHEAD = 1 << 16;

  private static final int QUEUE_MAX = 64;
  private static final int ANSWERS_KEPT = 64;
  private static final long SECOND_NANOS = 1_000_000_000L;

  private final NodeId self;
  private final StripeMap map;
  private final NnShards shards;
  private final JobSpec job;
  private final ErasureCode code;
  private final KeptParities parities;
  private final KeptShards kept;
  private final Outbox outbox;
  private final int rowsPerSecond;
  private final int capacity;
  private final int rowBytes;
  private final Arena arena = Arena.ofShared();
  private final long[] places;
  private final ArrayDeque<Piece> waiting = new ArrayDeque<>();

  /** Answers may be lost: their questions come again, and repairs must not be forgotten. */
  private final Map<Question, Scrubbed> answered = new LinkedHashMap<>();

  private StripePass stripes;
  private ShardPass copies;
  private Piece current;
  private final LongSupplier requests;
  private StandIns standIns;

  /** Where the pass that is under way began. */
  private long passFrom;

  private long position;
  private long dueNanos;
  private boolean started;
  private long stripesSeen;
  private long wrongSeen;
  private long repairedSeen;

  /** Each incarnation of a reader numbers its questions anew. */
  private record Question(NodeId reader, long incarnation, long request) {}

  /** What a reader, or this server itself, wants to be looked at. */
  private static final class Piece {
    final Question question;
    final ScrubKind kind;
    final long end;
    final boolean repair;
    final Findings findings = new Findings();
    long at;

    Piece(Question question, ScrubKind kind, long from, long end, boolean repair) {
      this.question = question;
      this.kind = kind;
      this.at = from;
      this.end = end;
      this.repair = repair;
    }
  }

  /**
   * A server's scrubber.
   *
   * @param code of the parities; null without
   * @param parities null without
   * @param requests gives numbers for questions, unique within this server's incarnation
   */
  public Scrubber(
      NodeId self,
      JobSpec job,
      ErasureCode code,
      KeptParities parities,
      KeptShards kept,
      Outbox outbox,
      LongSupplier requests) {
    this.self = self;
    this.job = job;
    this.map = job.stripeMap();
    this.shards = job.nnShards();
    this.code = code;
    this.parities = parities;
    this.kept = kept;
    this.outbox = outbox;
    this.requests = requests;
    this.standIns = StandIns.none(job);
    this.rowsPerSecond = job.redundancy().scrubRowsPerSecond();
    int answerBytes = Math.min(ANSWER_BYTES, job.messageBytesMax()) - MESSAGE_OVERHEAD_BYTES;
    this.rowBytes = job.rowLayout().rowBytes();
    int ofRow = Long.BYTES + Integer.BYTES + rowBytes;
    this.capacity = Math.clamp(answerBytes / ofRow, 1, PASS_STRIPES);
    this.places = new long[capacity];
  }

  /** Stripes that were compared with their parity. */
  public long stripesSeen() {
    return stripesSeen;
  }

  /** Stripes and copies that were found wrong, each time. */
  public long wrongSeen() {
    return wrongSeen;
  }

  /** Of them, those that were put right. */
  public long repairedSeen() {
    return repairedSeen;
  }

  /**
   * A reader's question. Answered when it is done.
   *
   * @param incarnation of the reader
   * @throws RefusedException MALFORMED if there is nothing like that to look at, BUSY if there are
   *     too many questions
   */
  public void onScrub(NodeId from, long incarnation, Scrub scrub, long nowNanos)
      throws RefusedException {
    long end = scrub.kind() == ScrubKind.PARITIES ? parityEnd() : shards.count();
    if (scrub.from() < 0 || scrub.from() >= scrub.to() || scrub.to() > end) {
      throw new RefusedException(
          RefusalReason.MALFORMED,
          scrub.kind() + " from " + scrub.from() + " to " + scrub.to() + " of " + end);
    }
    Question question = new Question(from, incarnation, scrub.request());
    Scrubbed known = answered.get(question);
    if (known != null) {
      outbox.send(from, known);
      return;
    }
    if (isAsked(question)) {
      return;
    }
    if (waiting.size() >= QUEUE_MAX) {
      throw new RefusedException(RefusalReason.BUSY, waiting.size() + " questions wait");
    }
    waiting.add(new Piece(question, scrub.kind(), scrub.from(), scrub.to(), scrub.repair()));
    advance(nowNanos);
  }

  private long parityEnd() {
    return code == null ? 0 : map.parityCapacity();
  }

  private boolean isAsked(Question question) {
    return (current != null && question.equals(current.question))
        || waiting.stream().anyMatch(piece -> question.equals(piece.question));
  }

  /** Rows of an owner, in its stream. */
  public void onCapturedRows(NodeId from, PeerMessage.CapturedRows message, long nowNanos) {
    if (stripes != null) {
      stripes.onCapturedRows(from, message, nowNanos);
      advance(nowNanos);
    }
  }

  /** Parities of another holder. */
  public void onCapturedParities(NodeId from, PeerMessage.CapturedParities message, long nowNanos) {
    if (stripes != null) {
      stripes.onCapturedParities(from, message, nowNanos);
      advance(nowNanos);
    }
  }

  /** An NN shard's digest, in its primary's stream. */
  public void onCapturedShard(PeerMessage.CapturedShard message, long nowNanos) {
    if (copies != null) {
      copies.onCapturedShard(message, nowNanos);
      advance(nowNanos);
    }
  }

  /**
   * A newer map. Stripes that have a member on a lost server cannot be compared, nor copies of its
   * shards.
   */
  public void onEpoch(StandIns newer, long nowNanos) {
    boolean anyLost = newer.anyLost();
    standIns = newer;
    if (anyLost && stripes != null && !stripes.isIdle() && stripes.cancel()) {
      current.at = passFrom;
    }
    if (copies != null) {
      copies.onEpoch(newer, nowNanos);
    }
    advance(nowNanos);
  }

  /** Whether {@link #folded} is of interest now. */
  public boolean isListening() {
    return stripes != null && !stripes.isIdle();
  }

  /**
   * A difference was folded into an own parity.
   *
   * @param place of the parity
   * @param member position of the row in its stripe
   * @param counter of the row after its update
   */
  public void folded(
      long place, int member, int counter, MemorySegment difference, long offsetBytes) {
    if (stripes != null) {
      stripes.folded(place, member, counter, difference, offsetBytes);
    }
  }

  /**
   * Differences were folded into own parities, in the order of their rows.
   *
   * @param values {@code [count, rowFloats]}, raw
   */
  public void folded(PeerMessage.Deltas deltas, MemorySegment values) {
    MemorySegment ids = deltas.rows().segment();
    MemorySegment counters = deltas.counters().segment();
    for (int i = 0; i < deltas.count(); i++) {
      long row = ids.get(ValueLayout.JAVA_LONG_UNALIGNED, (long) i * Long.BYTES);
      folded(
          placeOf(row / map.k()),
          (int) (row % map.k()),
          counters.get(ValueLayout.JAVA_INT_UNALIGNED, (long) i * Integer.BYTES),
          values,
          (long) i * rowBytes);
    }
  }

  private long placeOf(long stripe) {
    for (int parity = 0; parity < map.r(); parity++) {
      if (map.serverOf(stripe, map.k() + parity) == self.index()) {
        return map.indexOfParity(stripe, parity);
      }
    }
    return -1;
  }

  /** Time passes. */
  public void tick(long nowNanos) {
    if (stripes != null) {
      stripes.tick(nowNanos);
    }
    if (copies != null) {
      copies.tick(nowNanos);
    }
    if (!started) {
      started = true;
      dueNanos = nowNanos + SECOND_NANOS;
    }
    advance(nowNanos);
  }

  private void advance(long nowNanos) {
    while (isIdle()) {
      if (current != null && current.at >= current.end) {
        finish();
      }
      if (current == null) {
        current = waiting.poll();
      }
      if (current == null) {
        if (rowsPerSecond == 0 || !started || nowNanos - dueNanos < 0) {
          return;
        }
        current = ownPiece(nowNanos);
        if (current == null) {
          return;
        }
      }
      startPass(nowNanos);
    }
  }

  private boolean isIdle() {
    return (stripes == null || stripes.isIdle()) && (copies == null || copies.isIdle());
  }

  private void finish() {
    Findings found = current.findings;
    if (current.kind == ScrubKind.PARITIES) {
      stripesSeen += found.compared;
    }
    wrongSeen += found.wrong;
    repairedSeen += found.repaired;
    if (current.question != null) {
      Scrubbed answer = found.answer(current.question.request(), current.end);
      answered.put(current.question, answer);
      if (answered.size() > ANSWERS_KEPT) {
        answered.remove(answered.keySet().iterator().next());
      }
      outbox.send(current.question.reader(), answer);
    }
    current = null;
  }

  /** The next stretch that this server looks at by itself; parities first, then copies. */
  private Piece ownPiece(long nowNanos) {
    long parityCount = parityEnd();
    long total = parityCount + shards.count();
    if (position >= total) {
      position = 0;
    }
    if (position >= parityCount) {
      long shard = position - parityCount;
      position++;
      dueNanos = nowNanos + SECOND_NANOS / rowsPerSecond;
      return new Piece(null, ScrubKind.NN_REPLICAS, shard, shard + 1, true);
    }
    long from = position;
    int most = Math.clamp(rowsPerSecond / 4, 1, capacity);
    long end = Math.min(parityCount, from + LOOK_AHEAD);
    int touched = 0;
    while (position < end && touched < most) {
      touched += parities.isTouched(position) ? 1 : 0;
      position++;
    }
    dueNanos = nowNanos + Math.max(1, touched) * SECOND_NANOS / rowsPerSecond;
    return touched == 0 ? null : new Piece(null, ScrubKind.PARITIES, from, position, true);
  }

  private void startPass(long nowNanos) {
    if (current.kind == ScrubKind.NN_REPLICAS) {
      if (copies == null) {
        copies = new ShardPass(self, standIns, shards, kept, outbox, job.retryNanos(), requests);
      }
      int from = (int) current.at;
      current.at = current.end;
      copies.start(from, (int) current.end, current.findings, nowNanos);
      return;
    }
    boolean all = current.question != null;
    int count = 0;
    passFrom = current.at;
    while (current.at < current.end && count < capacity) {
      long place = current.at++;
      long stripe = map.stripeOfParityAt(self.index(), place);
      if (stripe < map.stripes()
          && standIns.isWhole(stripe)
          && (all || parities.isTouched(place))) {
        places[count++] = place;
      }
    }
    if (count == 0) {
      return;
    }
    if (stripes == null) {
      stripes =
          new StripePass(
              self,
              map,
              code,
              rowBytes,
              capacity,
              parities,
              outbox,
              job.retryNanos(),
              requests,
              arena);
    }
    stripes.start(places, count, current.repair, current.findings, nowNanos);
  }

  @Override
  public void close() {
    arena.close();
  }
}
