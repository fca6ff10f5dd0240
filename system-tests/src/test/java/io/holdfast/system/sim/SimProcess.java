package io.holdfast.system.sim;

import io.holdfast.config.control.ControlMessage;
import java.util.ArrayDeque;

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
    cluster.schedule.trace(incarnation, message.getClass().getSimpleName().hashCode());
    run(() -> onControl(message));
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
  }

  final void pause(long nanos) {
    if (!paused) {
      paused = true;
      cluster.schedule.in(
          nanos,
          () -> {
            paused = false;
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

  /** Handles what arrived on the data link. */
  abstract void poll();

  abstract void onTick();

  abstract void onControl(ControlMessage message);

  @Override
  public abstract void close();
}
