package io.holdfast.recovery;

import io.holdfast.config.control.ControlMessage;
import io.holdfast.config.control.ServerControl.CommittedRanges;
import io.holdfast.config.control.ServerControl.EpochAdopted;
import io.holdfast.config.control.ServerControl.QueryRanges;
import io.holdfast.config.control.ServerControl.QueryWorker;
import io.holdfast.config.control.ServerControl.RangeRecord;
import io.holdfast.config.control.ServerControl.ResolveWorker;
import io.holdfast.config.control.ServerControl.WorkerResolved;
import io.holdfast.config.control.ServerControl.WorkerTransactions;
import io.holdfast.config.placement.Epoch;
import io.holdfast.config.placement.NodeId;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BiConsumer;

/**
 * Settles what a dead worker left behind (cooperative termination of two-phase commit: Bernstein,
 * Hadzilacos and Goodman, "Concurrency Control and Recovery in Database Systems", 7.4).
 *
 * <pre>
 *   FENCING --all adopted an epoch without it--> QUERYING --all told what they know-->
 *   RESOLVING --all committed or dropped--> COUNTING --all told what data is committed--> DONE
 *
 *   each but DONE --a server is lost or replaced--> FENCING --all have that epoch, too-->
 *   QUERYING, or RESOLVING if it was decided before
 * </pre>
 *
 * <p>A server asked after it adopted the epoch will never again obey the worker, so "I know of no
 * commit" stays true (hazard 5). What one server committed, or what the worker's watermark says was
 * applied everywhere, is committed at all; everything else is dropped at all.
 *
 * <p><b>Lost servers.</b> What a server says before it has the epoch without a lost one may lack
 * what it folds of that one's updates afterwards; once it has the epoch it folds no more of them.
 * So all questions are put again then, to the live servers. What the lost server itself had
 * answered counts no more, although it was true: what only it knew to be committed it had told
 * nobody, so no survivor has it, the worker never heard it was applied, and dropping it everywhere
 * is as right as committing it, but leaves nothing half done. A decision stands, for some may have
 * obeyed it. Then, as when the worker had begun to commit, the lost server's part is gone if it was
 * neither redundant nor witnessed (guarantee G3's hole), and with it perhaps the record of the
 * transaction's data: {@link #atRisk}.
 *
 * <p>Each phase's messages go again to the servers that have not answered, on {@link #tick}.
 */
final class WorkerTermination {
  enum State {
    FENCING,
    QUERYING,
    RESOLVING,
    COUNTING,
    DONE;

    boolean mayBecome(State next) {
      return switch (next) {
        case FENCING -> this != DONE;
        case QUERYING -> this == FENCING;
        case RESOLVING -> this == FENCING || this == QUERYING;
        case COUNTING -> this == RESOLVING;
        case DONE -> this == COUNTING;
      };
    }
  }

  private final NodeId worker;
  private final long incarnation;
  private final Set<NodeId> servers;
  private final long repeatNanos;
  private final BiConsumer<NodeId, ControlMessage> effects;

  private Epoch epoch;
  private long query;
  private State state = State.FENCING;
  private final Set<NodeId> adopted = new TreeSet<>(PlacementEpochs.ORDER);
  private final Map<NodeId, WorkerTransactions> known = new LinkedHashMap<>();
  private final Set<NodeId> resolved = new TreeSet<>(PlacementEpochs.ORDER);
  private final Map<NodeId, List<RangeRecord>> ranges = new LinkedHashMap<>();

  /** What everybody is to commit; null while it is undecided. */
  private List<Long> committed;

  private long transactions;
  private long atRisk;
  private long askedNanos;

  /**
   * Begins with waiting for the fence.
   *
   * @param epoch first one without the worker
   * @param servers all live ones; they may hold parts of its transactions
   * @param query number for the question after committed data
   * @param repeatNanos what is not answered for so long is asked again
   * @param effects messages to servers
   */
  WorkerTermination(
      NodeId worker,
      long incarnation,
      Epoch epoch,
      Collection<NodeId> servers,
      long query,
      long repeatNanos,
      BiConsumer<NodeId, ControlMessage> effects) {
    this.worker = worker;
    this.incarnation = incarnation;
    this.epoch = epoch;
    this.servers = new TreeSet<>(PlacementEpochs.ORDER);
    this.servers.addAll(servers);
    this.query = query;
    this.repeatNanos = repeatNanos;
    this.effects = effects;
  }

  NodeId worker() {
    return worker;
  }

  State state() {
    return state;
  }

  boolean done() {
    return state == State.DONE;
  }

  /**
   * A server is lost, or a new process has taken a lost one's place. All begins anew, but for a
   * decision.
   *
   * @param owners who is to be asked from now on
   * @param since first epoch in which they are
   * @param newQuery number for the next question after committed data
   */
  void onServers(Collection<NodeId> owners, Epoch since, long newQuery) {
    if (state == State.DONE) {
      return;
    }
    servers.clear();
    servers.addAll(owners);
    epoch = since;
    query = newQuery;
    adopted.clear();
    known.clear();
    resolved.clear();
    ranges.clear();
    if (state != State.FENCING) {
      state = checked(State.FENCING);
    }
  }

  /** A server has an epoch; a later one than the first without the worker fences it too. */
  void on(EpochAdopted message, long nowNanos) {
    if (state != State.FENCING || message.epoch().compareTo(epoch) < 0) {
      return;
    }
    if (servers.contains(message.server()) && adopted.add(message.server())) {
      advanceIf(adopted.size(), committed == null ? State.QUERYING : State.RESOLVING, nowNanos);
    }
  }

  void on(WorkerTransactions message, long nowNanos) {
    if (state == State.QUERYING
        && isAbout(message.worker(), message.incarnation())
        && servers.contains(message.server())
        && known.putIfAbsent(message.server(), message) == null
        && known.size() == servers.size()) {
      decide();
      become(State.RESOLVING, nowNanos);
    }
  }

  void on(WorkerResolved message, long nowNanos) {
    if (state == State.RESOLVING
        && isAbout(message.worker(), message.incarnation())
        && servers.contains(message.server())
        && resolved.add(message.server())) {
      advanceIf(resolved.size(), State.COUNTING, nowNanos);
    }
  }

  void on(CommittedRanges message, long nowNanos) {
    if (state == State.COUNTING
        && message.query() == query
        && servers.contains(message.server())
        && ranges.putIfAbsent(message.server(), message.ranges()) == null) {
      advanceIf(ranges.size(), State.DONE, nowNanos);
    }
  }

  /** Repeats what was not answered. */
  void tick(long nowNanos) {
    if (state != State.DONE && nowNanos - askedNanos >= repeatNanos) {
      ask(nowNanos);
    }
  }

  /** How many of its transactions are committed. Sequences have no gaps and none below is lost. */
  long transactions() {
    requireDone();
    return transactions;
  }

  /**
   * How many of its transactions are committed but not known to be applied everywhere before it
   * died. Only their records can have died with a server.
   */
  long atRisk() {
    requireDone();
    return atRisk;
  }

  /** All data that servers recorded as committed, when all was settled. */
  SpanSet committedData() {
    requireDone();
    return CommittedData.covered(ranges.values());
  }

  private void requireDone() {
    if (state != State.DONE) {
      throw new IllegalStateException(worker + " is not settled: " + state);
    }
  }

  private boolean isAbout(NodeId node, long itsIncarnation) {
    return node.equals(worker) && itsIncarnation == incarnation;
  }

  private void decide() {
    long watermark =
        known.values().stream().mapToLong(WorkerTransactions::watermark).max().orElse(0);
    TreeSet<Long> decided = new TreeSet<>();
    TreeSet<Long> seen = new TreeSet<>();
    for (WorkerTransactions each : known.values()) {
      decided.addAll(each.decided());
      seen.addAll(each.decided());
      seen.addAll(each.undecided());
    }
    seen.removeIf(sequence -> sequence > watermark && !decided.contains(sequence));
    committed = new ArrayList<>(seen);
    atRisk = decided.tailSet(watermark, false).size();
    transactions = watermark + atRisk;
  }

  private void advanceIf(int answers, State next, long nowNanos) {
    if (answers == servers.size()) {
      become(next, nowNanos);
    }
  }

  private void become(State next, long nowNanos) {
    state = checked(next);
    ask(nowNanos);
  }

  private State checked(State next) {
    if (!state.mayBecome(next)) {
      throw new IllegalStateException("termination of " + worker + ": " + state + " to " + next);
    }
    return next;
  }

  private void ask(long nowNanos) {
    askedNanos = nowNanos;
    for (NodeId server : servers) {
      switch (state) {
        case QUERYING -> sendUnless(known.containsKey(server), server, query());
        case RESOLVING -> sendUnless(resolved.contains(server), server, resolve());
        case COUNTING -> sendUnless(ranges.containsKey(server), server, new QueryRanges(query));
        case FENCING, DONE -> {
          // The epoch itself is repeated by whoever issued it.
        }
      }
    }
  }

  private ControlMessage query() {
    return new QueryWorker(worker, incarnation);
  }

  private ControlMessage resolve() {
    return new ResolveWorker(worker, incarnation, committed);
  }

  private void sendUnless(boolean answered, NodeId server, ControlMessage message) {
    if (!answered) {
      effects.accept(server, message);
    }
  }
}
