package io.holdfast.server.scrub;

import io.holdfast.config.placement.NodeId;
import io.holdfast.config.placement.StripeMap;
import io.holdfast.config.protocol.Outbox;
import io.holdfast.config.protocol.Payload;
import io.holdfast.config.protocol.PeerMessage;
import io.holdfast.erasure.ErasureCode;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The comparison of some of a server's parities with their stripes.
 *
 * <pre>
 *   IDLE -> CAPTURING -> compared: all fit, or r = 1 --------------------------> IDLE
 *               ^            | wrong ones, r > 1
 *               |            v
 *               |        LOCATING, a few stripes at a time --- no repair ------> IDLE
 *               |            | repair of those that could be located
 *               '------------' captured and compared again, a few times
 * </pre>
 *
 * What is not answered in time is asked again under a new number; answers to older numbers are
 * ignored. Captures describe the stream that they came in, so a new epoch does no harm.
 */
final class StripePass {
  private static final Logger LOG = LoggerFactory.getLogger(StripePass.class);

  /** Stripes whose other parities are asked for at once. */
  private static final int ROUND = 8;

  /**
   * How often the other parities are asked for until they agree with the captured rows on what is
   * folded: while a row is updated they may be a little ahead or behind.
   */
  private static final int AGREEMENT_TRIES = 100;

  /** How often a repair is tried: a row that was updated meanwhile is left as it is. */
  private static final int REPAIR_TRIES = 10;

  private static final int UNKNOWN = -1;
  private static final int NOT_NOW = -2;

  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;

  private enum Phase {
    IDLE,
    CAPTURING,
    LOCATING
  }

  /** What one owner was asked. */
  private static final class Sibling {
    final long[] rows;
    final int[] stripes;
    int count;
    long request;
    long askedNanos;
    boolean open;

    Sibling(int capacity) {
      rows = new long[capacity];
      stripes = new int[capacity];
    }
  }

  /** What another holder was asked: it may keep parities of several stripes of the round. */
  private static final class OtherHolder {
    final long[] stripes = new long[ROUND];
    int count;
    long request;
    long askedNanos;
    boolean open;
  }

  private final NodeId self;
  private final StripeMap map;
  private final int k;
  private final int r;
  private final int rowBytes;
  private final KeptParities parities;
  private final Outbox outbox;
  private final long retryNanos;
  private final LongSupplier requests;
  private final ErasureCode code;
  private final StripeCopies copies;
  private final StripeCheck check;
  private final long[] places;
  private final long[] stripes;
  private final int[] wrong;
  private final long[] located;
  private final Sibling[] siblings;
  private final OtherHolder[] holders;

  /** {@code [ROUND, r]} parities of the round's stripes; own ones are read in place. */
  private final MemorySegment otherValues;

  private final int[] otherCounters;
  private final boolean[] otherThere;
  private final int[] memberCounters;
  private final MemorySegment[] parityAt;
  private final long[] parityOffsets;

  private Phase phase = Phase.IDLE;
  private Findings findings;
  private boolean repair;
  private int attempt;
  private int count;
  private int wrongCount;
  private int locatedCount;
  private int roundFrom;
  private int roundCount;
  private int tries;

  /**
   * A pass that can be used again and again.
   *
   * @param capacity most stripes of a pass
   * @param requests gives numbers for questions, unique within this server's incarnation
   */
  StripePass(
      NodeId self,
      StripeMap map,
      ErasureCode code,
      int rowBytes,
      int capacity,
      KeptParities parities,
      Outbox outbox,
      long retryNanos,
      LongSupplier requests,
      Arena arena) {
    this.self = self;
    this.map = map;
    this.code = code;
    k = map.k();
    r = map.r();
    this.rowBytes = rowBytes;
    this.parities = parities;
    this.outbox = outbox;
    this.retryNanos = retryNanos;
    this.requests = requests;
    copies = new StripeCopies(capacity, k, rowBytes, arena);
    check = new StripeCheck(code, rowBytes, arena);
    places = new long[capacity];
    stripes = new long[capacity];
    wrong = new int[capacity];
    located = new long[capacity];
    siblings = new Sibling[map.servers()];
    holders = new OtherHolder[map.servers()];
    for (int server = 0; server < siblings.length; server++) {
      siblings[server] = new Sibling(capacity);
      holders[server] = new OtherHolder();
    }
    otherValues = arena.allocate((long) ROUND * r * rowBytes, 64);
    otherCounters = new int[ROUND * r * k];
    otherThere = new boolean[ROUND * r];
    memberCounters = new int[k];
    parityAt = new MemorySegment[r];
    parityOffsets = new long[r];
  }

  int capacity() {
    return places.length;
  }

  boolean isIdle() {
    return phase == Phase.IDLE;
  }

  /**
   * Begins.
   *
   * @param parityPlaces own parities, increasing, of stripes that exist
   * @param into takes what is found
   */
  void start(long[] parityPlaces, int number, boolean mayRepair, Findings into, long nowNanos) {
    if (phase != Phase.IDLE) {
      throw new IllegalStateException("a pass is under way");
    }
    findings = into;
    repair = mayRepair;
    attempt = 0;
    capture(parityPlaces, number, nowNanos);
  }

  /**
   * Gives up: a server is lost, and will not answer.
   *
   * @return whether nothing of this pass was told yet, so that it can be begun anew
   */
  boolean cancel() {
    boolean untold = phase == Phase.CAPTURING && attempt == 0;
    phase = Phase.IDLE;
    return untold;
  }

  // Capturing.

  private void capture(long[] parityPlaces, int number, long nowNanos) {
    phase = Phase.CAPTURING;
    count = number;
    System.arraycopy(parityPlaces, 0, places, 0, number);
    for (Sibling sibling : siblings) {
      sibling.count = 0;
    }
    for (int i = 0; i < count; i++) {
      stripes[i] = map.stripeOfParityAt(self.index(), places[i]);
      copies.clear(i);
      for (int member = 0; member < k; member++) {
        long row = stripes[i] * k + member;
        if (row >= map.rows()) {
          copies.captureInitial(i, member);
          continue;
        }
        Sibling sibling = siblings[map.serverOf(stripes[i], member)];
        sibling.rows[sibling.count] = row;
        sibling.stripes[sibling.count] = i;
        sibling.count++;
      }
    }
    for (int server = 0; server < siblings.length; server++) {
      siblings[server].open = siblings[server].count > 0;
      if (siblings[server].open) {
        ask(server, nowNanos);
      }
    }
    if (allCaptured()) {
      compare(nowNanos);
    }
  }

  private void ask(int server, long nowNanos) {
    Sibling sibling = siblings[server];
    sibling.request = requests.getAsLong();
    sibling.askedNanos = nowNanos;
    long[] rows = Arrays.copyOf(sibling.rows, sibling.count);
    outbox.send(
        NodeId.server(server),
        new PeerMessage.CaptureRows(sibling.request, Payload.of(MemorySegment.ofArray(rows))));
  }

  private boolean allCaptured() {
    for (Sibling sibling : siblings) {
      if (sibling.open) {
        return false;
      }
    }
    return true;
  }

  /** Rows of an owner, in its stream. */
  void onCapturedRows(NodeId from, PeerMessage.CapturedRows message, long nowNanos) {
    Sibling sibling = siblings[from.index()];
    if (phase != Phase.CAPTURING || !sibling.open || sibling.request != message.request()) {
      return;
    }
    MemorySegment rows = message.rows().segment();
    MemorySegment counters = message.counters().segment();
    MemorySegment values = message.values().segment();
    int told = (int) (rows.byteSize() / Long.BYTES);
    if (counters.byteSize() != (long) told * Integer.BYTES
        || values.byteSize() != (long) told * rowBytes) {
      LOG.warn("{} captured {} rows in a wrong length for {}", from, told, self);
      return;
    }
    int next = 0;
    for (int i = 0; i < sibling.count; i++) {
      long row = sibling.rows[i];
      int member = (int) (row % k);
      if (next < told && rows.get(LONG, (long) next * Long.BYTES) == row) {
        copies.capture(
            sibling.stripes[i],
            member,
            counters.get(INT, (long) next * Integer.BYTES),
            values,
            (long) next * rowBytes);
        next++;
      } else {
        copies.captureInitial(sibling.stripes[i], member);
      }
    }
    if (next != told) {
      LOG.warn("{} captured rows for {} that were not asked for, or in another order", from, self);
      return; // Asked again after a while.
    }
    sibling.open = false;
    if (allCaptured()) {
      compare(nowNanos);
    }
  }

  /**
   * A difference was folded into an own parity.
   *
   * @param counter of the row after its update
   */
  void folded(long place, int member, int counter, MemorySegment difference, long offsetBytes) {
    if (phase == Phase.IDLE) {
      return;
    }
    int i = Arrays.binarySearch(places, 0, count, place);
    if (i < 0 || !copies.isCaptured(i, member)) {
      return;
    }
    code.applyDifference(
        difference, offsetBytes, copies.segment(), copies.offset(i, member), rowBytes);
    copies.counter(i, member, counter);
  }

  // Comparing.

  private void compare(long nowNanos) {
    wrongCount = 0;
    for (int i = 0; i < count; i++) {
      int updated = 0;
      for (int member = 0; member < k; member++) {
        updated += copies.counter(i, member) != 0 ? 1 : 0;
      }
      boolean fits = fits(i);
      if (attempt == 0) {
        // With no member ever updated only a parity that claims otherwise is looked at.
        findings.compared += updated > 0 || !fits ? 1 : 0;
        findings.rows += ownParity(i) == 0 ? updated : 0;
        findings.deviation = Math.max(findings.deviation, check.deviation());
      }
      if (!fits) {
        wrong[wrongCount++] = i;
      } else if (attempt > 0) {
        findings.repaired++;
        LOG.info("{}: stripe {} fits its parity again", self, stripes[i]);
      }
    }
    if (attempt == 0) {
      findings.wrong += wrongCount;
    }
    if (wrongCount == 0) {
      phase = Phase.IDLE;
    } else if (r == 1) {
      for (int i = 0; i < wrongCount; i++) {
        tell(wrong[i], UNKNOWN);
      }
      phase = Phase.IDLE;
    } else {
      phase = Phase.LOCATING;
      locatedCount = 0;
      startRound(0, nowNanos);
    }
  }

  private boolean fits(int i) {
    long place = places[i];
    boolean bytes = check.fits(copies, i, ownParity(i), parities.segment(), parities.offset(place));
    for (int member = 0; member < k; member++) {
      if (parities.counter(place, member) != copies.counter(i, member)) {
        return false;
      }
    }
    return bytes;
  }

  private int ownParity(int i) {
    return (int) (places[i] % r);
  }

  /** Says aloud what is wrong. */
  private void tell(int i, int position) {
    findings.member(stripes[i], position);
    if (position == UNKNOWN) {
      LOG.error(
          "{}: stripe {} does not fit its parity; {}",
          self,
          stripes[i],
          r == 1
              ? "with r = 1 it cannot be told which of its members is wrong"
              : "more than one of its members is wrong, or they are updated too often to tell");
    } else if (position < k) {
      LOG.error(
          "{}: row {} on server-{} does not fit the parities of stripe {}",
          self,
          stripes[i] * k + position,
          map.serverOf(stripes[i], position),
          stripes[i]);
    } else {
      LOG.error("{}: the parity of stripe {} here does not fit its rows", self, stripes[i]);
    }
  }

  // Locating.

  private void startRound(int from, long nowNanos) {
    roundFrom = from;
    roundCount = Math.min(ROUND, wrongCount - from);
    tries = 0;
    askHolders(nowNanos);
  }

  private void askHolders(long nowNanos) {
    Arrays.fill(otherThere, false);
    for (OtherHolder holder : holders) {
      holder.count = 0;
    }
    for (int i = 0; i < roundCount; i++) {
      long stripe = stripes[wrong[roundFrom + i]];
      for (int parity = 0; parity < r; parity++) {
        int server = map.serverOf(stripe, k + parity);
        if (server != self.index()) {
          OtherHolder holder = holders[server];
          holder.stripes[holder.count++] = stripe;
        }
      }
    }
    for (int server = 0; server < holders.length; server++) {
      holders[server].open = holders[server].count > 0;
      if (holders[server].open) {
        askHolder(server, nowNanos);
      }
    }
  }

  private void askHolder(int server, long nowNanos) {
    OtherHolder holder = holders[server];
    holder.request = requests.getAsLong();
    holder.askedNanos = nowNanos;
    outbox.send(
        NodeId.server(server),
        new PeerMessage.CaptureParities(
            holder.request,
            Payload.of(MemorySegment.ofArray(Arrays.copyOf(holder.stripes, holder.count)))));
  }

  /** Parities of another holder. */
  void onCapturedParities(NodeId from, PeerMessage.CapturedParities message, long nowNanos) {
    OtherHolder holder = holders[from.index()];
    if (phase != Phase.LOCATING || !holder.open || holder.request != message.request()) {
      return;
    }
    MemorySegment told = message.stripes().segment();
    MemorySegment counters = message.counters().segment();
    MemorySegment values = message.values().segment();
    if (told.byteSize() != (long) holder.count * Long.BYTES
        || counters.byteSize() != (long) holder.count * k * Integer.BYTES
        || values.byteSize() != (long) holder.count * rowBytes) {
      LOG.warn("{} captured parities in a wrong length for {}", from, self);
      return;
    }
    for (int i = 0; i < holder.count; i++) {
      take(from.index(), holder.stripes[i], i, counters, values);
    }
    holder.open = false;
    for (OtherHolder other : holders) {
      if (other.open) {
        return;
      }
    }
    endRound(nowNanos);
  }

  private void take(
      int server, long stripe, int index, MemorySegment counters, MemorySegment values) {
    for (int i = 0; i < roundCount; i++) {
      if (stripes[wrong[roundFrom + i]] != stripe) {
        continue;
      }
      for (int parity = 0; parity < r; parity++) {
        if (map.serverOf(stripe, k + parity) == server) {
          int slot = i * r + parity;
          MemorySegment.copy(
              values, (long) index * rowBytes, otherValues, (long) slot * rowBytes, rowBytes);
          for (int member = 0; member < k; member++) {
            otherCounters[slot * k + member] =
                counters.get(INT, ((long) index * k + member) * Integer.BYTES);
          }
          otherThere[slot] = true;
        }
      }
    }
  }

  private void endRound(long nowNanos) {
    tries++;
    if (tries < AGREEMENT_TRIES) {
      for (int i = 0; i < roundCount; i++) {
        if (locate(i) == NOT_NOW) {
          askHolders(nowNanos);
          return;
        }
      }
    }
    for (int i = 0; i < roundCount; i++) {
      int stripe = wrong[roundFrom + i];
      int position = Math.max(UNKNOWN, locate(i));
      if (attempt == 0) {
        tell(stripe, position);
        findings.located += position == UNKNOWN ? 0 : 1;
      }
      if (position != UNKNOWN && repair) {
        repair(stripe, position);
        located[locatedCount++] = places[stripe];
      }
    }
    if (roundFrom + roundCount < wrongCount) {
      startRound(roundFrom + roundCount, nowNanos);
    } else if (locatedCount > 0 && attempt < REPAIR_TRIES) {
      attempt++;
      capture(located, locatedCount, nowNanos);
    } else {
      phase = Phase.IDLE;
    }
  }

  /**
   * Finds the one member of a stripe whose replacement makes everything fit. Right values are then
   * in {@link #memberCounters} and, of a row, in the check's candidate.
   *
   * @return its position, UNKNOWN, or NOT_NOW if the other parities are of another moment
   */
  private int locate(int inRound) {
    int i = wrong[roundFrom + inRound];
    int own = ownParity(i);
    int suspect = UNKNOWN;
    for (int member = 0; member < k; member++) {
      int ofRow = copies.counter(i, member);
      int ofOwn = parities.counter(places[i], member);
      int others = otherCounters[(inRound * r + (own == 0 ? 1 : 0)) * k + member];
      for (int parity = 0; parity < r; parity++) {
        if (parity != own && otherCounters[(inRound * r + parity) * k + member] != others) {
          return NOT_NOW;
        }
      }
      memberCounters[member] = others;
      if (ofRow == others && ofOwn == others) {
        continue;
      }
      int odd = ofOwn == others ? member : ofRow == others ? k + own : NOT_NOW;
      if (odd == NOT_NOW || (suspect != UNKNOWN && suspect != odd)) {
        return odd == NOT_NOW ? NOT_NOW : UNKNOWN;
      }
      suspect = odd;
    }
    int misfits = 0;
    boolean ownFits = true;
    for (int parity = 0; parity < r; parity++) {
      int slot = inRound * r + parity;
      parityAt[parity] = parity == own ? parities.segment() : otherValues;
      parityOffsets[parity] = parity == own ? parities.offset(places[i]) : (long) slot * rowBytes;
      if (parity != own && !otherThere[slot]) {
        return NOT_NOW;
      }
      if (!check.fits(copies, i, parity, parityAt[parity], parityOffsets[parity])) {
        misfits++;
        ownFits &= parity != own;
      }
    }
    int byBytes;
    if (misfits == 0) {
      byBytes = suspect;
    } else if (misfits == 1 && !ownFits) {
      byBytes = k + own;
    } else if (misfits == r) {
      byBytes = check.wrongRow(copies, i, parityAt, parityOffsets);
    } else {
      byBytes = UNKNOWN;
    }
    if (suspect != UNKNOWN && byBytes != suspect) {
      return UNKNOWN;
    }
    if (byBytes >= 0 && byBytes < k && misfits == 0) {
      check.decode(byBytes, copies, i, parityAt, parityOffsets);
    }
    return byBytes;
  }

  private void repair(int i, int position) {
    long stripe = stripes[i];
    if (position >= k) {
      MemorySegment right = check.expected(copies, i, ownParity(i));
      for (int member = 0; member < k; member++) {
        memberCounters[member] = copies.counter(i, member);
      }
      parities.replace(places[i], right, 0, memberCounters);
      return;
    }
    long row = stripe * k + position;
    int[] counters = {copies.counter(i, position), memberCounters[position]};
    outbox.send(
        NodeId.server(map.serverOf(stripe, position)),
        new PeerMessage.RepairRows(
            Payload.of(MemorySegment.ofArray(new long[] {row})),
            Payload.of(MemorySegment.ofArray(counters)),
            Payload.of(check.candidate())));
  }

  /** Asks again what was not answered in time. */
  void tick(long nowNanos) {
    for (int server = 0; server < siblings.length; server++) {
      if (phase == Phase.CAPTURING
          && siblings[server].open
          && nowNanos - siblings[server].askedNanos >= retryNanos) {
        ask(server, nowNanos);
      }
      if (phase == Phase.LOCATING
          && holders[server].open
          && nowNanos - holders[server].askedNanos >= retryNanos) {
        askHolder(server, nowNanos);
      }
    }
  }
}
