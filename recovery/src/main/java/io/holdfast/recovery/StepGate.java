package io.holdfast.recovery;

import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Keeps workers together. A step is opened for a worker once it would not be more than {@code
 * staleness} steps ahead of the slowest one (stale synchronous parallel: Ho et al., NIPS 2013); 0
 * is a synchronous job. In a deterministic job workers also commit in turn: within a step in the
 * order of their indices, each once the former's step is applied everywhere, and none before all
 * are ready; else how much of the step a slow worker's pulls see would depend on its speed.
 *
 * <pre>
 *   a worker's step:  -StepStart-> asked -StepOpened-> open [-StepReady-> ready -CommitGranted-> granted] -StepDone-> done
 * </pre>
 *
 * <p>A worker that has nothing to train, is finished or is dead blocks nobody. One that gets data
 * again, or joins late, goes on beside the slowest of the others: its own steps count from 1
 * without a gap, but are compared with an offset. Every message may be repeated.
 */
final class StepGate {
  /** What the gate has to say. */
  interface Signals {
    void stepOpened(int worker, long step);

    void commitGranted(int worker, long step);
  }

  /** A worker's own steps; {@code offset} makes them comparable. */
  private static final class Pace {
    long offset;
    long asked;
    long opened;
    long ready;
    long granted;
    long done;
    final TreeSet<Long> doneAhead = new TreeSet<>();
    boolean idle;
  }

  private final int staleness;
  private final boolean turns;
  private final Signals signals;
  private final TreeMap<Integer, Pace> paces = new TreeMap<>();

  StepGate(int staleness, boolean turns, Signals signals) {
    if (staleness < 0) {
      throw new IllegalArgumentException("staleness is " + staleness);
    }
    this.staleness = staleness;
    this.turns = turns;
    this.signals = signals;
  }

  /** A worker that begins at its step 1. */
  void join(int worker) {
    Pace pace = new Pace();
    pace.offset = hasActive() ? slowest() : 0;
    paces.put(worker, pace);
  }

  /** A worker is finished or dead. */
  void leave(int worker) {
    paces.remove(worker);
    settle();
  }

  /** A worker has nothing to train for now. */
  void idle(int worker) {
    Pace pace = paces.get(worker);
    if (pace != null && !pace.idle) {
      pace.idle = true;
      settle();
    }
  }

  /** A worker has data. */
  void active(int worker) {
    Pace pace = paces.get(worker);
    if (pace != null && pace.idle) {
      if (hasActive()) {
        pace.offset = Math.max(pace.offset, slowest() - pace.done);
      }
      pace.idle = false;
    }
  }

  /** A worker asks to begin a step. */
  void onStart(int worker, long step) {
    Pace pace = pace(worker);
    if (step <= pace.done) {
      return;
    }
    if (step <= pace.opened) {
      signals.stepOpened(worker, step);
      return;
    }
    pace.asked = Math.max(pace.asked, step);
    settle();
  }

  /** A worker's step is staged everywhere. */
  void onReady(int worker, long step) {
    Pace pace = pace(worker);
    requireOpened(worker, pace, step, "ready");
    if (step <= pace.done) {
      return;
    }
    if (step <= pace.granted) {
      signals.commitGranted(worker, step);
      return;
    }
    pace.ready = Math.max(pace.ready, step);
    settle();
  }

  /** A worker's step is applied everywhere. */
  void onDone(int worker, long step) {
    Pace pace = pace(worker);
    requireOpened(worker, pace, step, "done");
    if (turns && step > pace.granted) {
      throw new ProtocolException("worker-" + worker + " committed step " + step + " out of turn");
    }
    if (step <= pace.done) {
      return;
    }
    pace.doneAhead.add(step);
    while (pace.doneAhead.remove(pace.done + 1)) {
      pace.done++;
    }
    settle();
  }

  private static void requireOpened(int worker, Pace pace, long step, String what) {
    if (step < 1 || step > pace.opened) {
      throw new ProtocolException(
          "worker-"
              + worker
              + "'s step "
              + step
              + " is "
              + what
              + ", but its last is "
              + pace.opened);
    }
  }

  private Pace pace(int worker) {
    Pace pace = paces.get(worker);
    if (pace == null) {
      throw new ProtocolException("worker-" + worker + " takes no part in the job");
    }
    return pace;
  }

  private boolean hasActive() {
    return paces.values().stream().anyMatch(pace -> !pace.idle);
  }

  private long slowest() {
    return paces.values().stream()
        .filter(pace -> !pace.idle)
        .mapToLong(pace -> pace.offset + pace.done)
        .min()
        .orElse(0);
  }

  private void settle() {
    if (!hasActive()) {
      return;
    }
    long limit = slowest() + staleness + 1;
    for (Map.Entry<Integer, Pace> entry : paces.entrySet()) {
      Pace pace = entry.getValue();
      while (pace.opened < pace.asked && pace.offset + pace.opened + 1 <= limit) {
        pace.opened++;
        signals.stepOpened(entry.getKey(), pace.opened);
      }
    }
    if (turns) {
      grantTurns();
    }
  }

  private void grantTurns() {
    for (Map.Entry<Integer, Pace> entry : paces.entrySet()) {
      Pace pace = entry.getValue();
      long step = pace.offset + pace.ready;
      if (pace.ready > pace.granted && allAreReady(step) && formerAreDone(entry.getKey(), step)) {
        pace.granted = pace.ready;
        signals.commitGranted(entry.getKey(), pace.granted);
      }
    }
  }

  private boolean allAreReady(long step) {
    return paces.values().stream()
        .allMatch(pace -> pace.idle || pace.offset + Math.max(pace.ready, pace.done) >= step);
  }

  private boolean formerAreDone(int worker, long step) {
    return paces.headMap(worker).values().stream()
        .allMatch(former -> former.idle || former.offset + former.done >= step);
  }
}
