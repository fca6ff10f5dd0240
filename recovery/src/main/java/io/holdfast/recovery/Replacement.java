package io.holdfast.recovery;

import io.holdfast.config.control.ControlMessage;
import io.holdfast.config.control.ServerControl.CopyProgress;
import io.holdfast.config.control.ServerControl.CopyState;
import io.holdfast.config.control.ServerControl.HandOver;
import io.holdfast.config.control.ServerControl.QueryCopy;
import io.holdfast.config.placement.NodeId;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Supplier;

/**
 * A process on its way to a lost server's place.
 *
 * <pre>
 *   PREPARING --it is ready, an epoch names it--> COPYING --it has all that others have for it-->
 *   HANDING_OVER --nobody acts for the lost server any more, it has the last of it--> TAKEN_OVER,
 *   and the next epoch makes it the owner
 *
 *   COPYING, HANDING_OVER --another server is lost--> COPYING, from the beginning
 * </pre>
 *
 * <p>Questions and orders are repeated until they are answered. While it is HANDING_OVER nobody
 * answers for the lost server: that is the only time in which work waits, and nothing but what is
 * small is sent in it (hazard 6: never two owners, briefly none).
 */
final class Replacement {
  enum State {
    PREPARING,
    COPYING,
    HANDING_OVER,
    TAKEN_OVER
  }

  private final NodeProcess process;
  private final Supplier<List<NodeId>> owners;
  private final long repeatNanos;
  private final BiConsumer<NodeId, ControlMessage> effects;
  private State state = State.PREPARING;
  private double share;
  private long bytes;
  private long askedNanos;

  /** It allocates memory. */
  Replacement(
      NodeProcess process,
      Supplier<List<NodeId>> owners,
      long repeatNanos,
      BiConsumer<NodeId, ControlMessage> effects) {
    this.process = process;
    this.owners = owners;
    this.repeatNanos = repeatNanos;
    this.effects = effects;
  }

  State state() {
    return state;
  }

  boolean is(NodeProcess other) {
    return process == other;
  }

  NodeProcess process() {
    return process;
  }

  JobProgress.Replacing progress() {
    return new JobProgress.Replacing(process.node(), share, bytes);
  }

  /** An epoch names it; it begins, or begins anew. */
  void copies(long nowNanos) {
    state = State.COPYING;
    share = 0;
    askedNanos = nowNanos;
  }

  /** It tells how far it is. */
  void on(CopyProgress message, long nowNanos) {
    if (!message.server().equals(process.node())
        || message.incarnation() != process.incarnation()
        || message.since() != process.copyingSince()) {
      return;
    }
    share = message.share();
    bytes = message.bytes();
    if (state == State.COPYING && message.state() == CopyState.COPIED) {
      state = State.HANDING_OVER;
      ask(nowNanos);
    } else if (state == State.HANDING_OVER && message.state() == CopyState.TAKEN_OVER) {
      state = State.TAKEN_OVER;
    }
  }

  void tick(long nowNanos) {
    if (nowNanos - askedNanos >= repeatNanos) {
      ask(nowNanos);
    }
  }

  private void ask(long nowNanos) {
    askedNanos = nowNanos;
    switch (state) {
      case PREPARING, TAKEN_OVER -> {
        // It tells by itself; whoever registers is told again.
      }
      case COPYING -> effects.accept(process.node(), new QueryCopy());
      case HANDING_OVER -> {
        HandOver order = new HandOver(process.node(), process.incarnation());
        owners.get().forEach(server -> effects.accept(server, order));
        effects.accept(process.node(), new QueryCopy());
      }
    }
  }
}
