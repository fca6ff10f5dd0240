package io.holdfast.system.sim;

import io.holdfast.config.control.ControlMessage;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.protocol.DataMessage;
import java.util.ArrayDeque;
import java.util.function.Supplier;

/** One process: lives, stops for a while, dies. */
abstract class SimProcess implements AutoCloseable {
  final SimCluster cluster;
  final long incarnation;
  private final ArrayDeque<Runnable> inbox = new ArrayDeque<>();
  private boolean paused;
  private boolean dead;

  SimProcess(SimCluster cluster, long incarnation) {
    this.cluster = cluster;
    this.incarnation = incarnation;
    cluster.schedule.in(1 + cluster.schedule.draw(cluster.tickNanos()), this::tick);
  }

  private void tick() {
    if (dead) {
      return;
    }
    run(this::onTick);
    cluster.schedule.in(cluster.tickNanos(), this::tick);
  }

  /** A message of the coordinator has arrived. */
  final void deliver(ControlMessage message) {
    cluster.schedule.note(incarnation, message.getClass().getSimpleName().hashCode());
    log(() -> "<- coordinator  " + MessageText.of((Record) message));
    long late = cluster.seams.lateNanos(this, message);
    if (late > 0) {
      cluster.schedule.in(late, () -> run(() -> onControl(message)));
    } else if (!cluster.seams.isLost(this, message)) {
      run(() -> onControl(message));
    }
  }

  /** Something happens on this process's thread, now or when it goes on. */
  final void run(Runnable event) {
    inbox.add(event);
    wake();
  }

  /** A frame has arrived, or there is something in the inbox. */
  final void wake() {
    if (dead || paused) {
      return;
    }
    poll();
    while (!inbox.isEmpty() && !dead) {
      inbox.remove().run();
    }
    if (!dead) {
      afterWork();
    }
  }

  final void pause(long nanos) {
    if (!paused) {
      cluster.tally.count(FaultKind.PAUSES);
      log(() -> "is stopped for " + nanos / 1000 + " us");
      paused = true;
      cluster.schedule.in(
          nanos,
          () -> {
            paused = false;
            log(() -> "goes on");
            wake();
          });
    }
  }

  final boolean isDead() {
    return dead;
  }

  /** Ends it between two steps. */
  final void die() {
    if (!dead) {
      dead = true;
      close();
    }
  }

  /** A line of the trace about this process. */
  final void log(Supplier<String> what) {
    if (cluster.trace.on()) {
      cluster.trace.add(cluster.schedule.nowNanos(), () -> this + " " + what.get());
    }
  }

  /** A message of the data plane has arrived; a line of the trace. */
  final void logFrame(NodeId from, DataMessage message) {
    if (cluster.trace.on()) {
      String text = MessageText.of((Record) message);
      cluster.trace.add(cluster.schedule.nowNanos(), () -> from + " -> " + this + "  " + text);
    }
  }

  /** Handles what arrived on the data link. */
  abstract void poll();

  abstract void onTick();

  /** All that was at hand is handled. */
  void afterWork() {}

  abstract void onControl(ControlMessage message);

  @Override
  public abstract void close();
}
