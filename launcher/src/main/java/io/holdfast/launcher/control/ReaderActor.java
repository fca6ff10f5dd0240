package io.holdfast.launcher.control;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.AbstractBehavior;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.javadsl.Receive;
import io.holdfast.config.control.ControlMessage;
import io.holdfast.config.control.JobControl.MapForReader;
import io.holdfast.config.control.JobControl.Registered;
import io.holdfast.config.control.JobControl.RegistrationRefused;
import io.holdfast.config.control.JobControl.Stop;
import io.holdfast.config.control.Register;
import io.holdfast.config.placement.NodeId;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/**
 * Asks the coordinator for a reader's place in the cluster, and keeps the place's map up to date.
 * Registers again and again: the coordinator then tells anew what was lost on the way.
 */
final class ReaderActor extends AbstractBehavior<ControlMessage> {
  private static final Duration REGISTER_EVERY = Duration.ofSeconds(1);

  private enum Tick implements ControlMessage {
    TICK
  }

  private final ActorRef<ControlMessage> coordinator;
  private final String endpoint;
  private final long incarnation;
  private final CompletableFuture<ReaderSeat> seat;
  private NodeId self;
  private ReaderSeat taken;

  private ReaderActor(
      ActorContext<ControlMessage> context,
      ActorRef<ControlMessage> coordinator,
      String endpoint,
      long incarnation,
      CompletableFuture<ReaderSeat> seat) {
    super(context);
    this.coordinator = coordinator;
    this.endpoint = endpoint;
    this.incarnation = incarnation;
    this.seat = seat;
  }

  /**
   * A reader that is to be.
   *
   * @param seat completes with the reader's place
   */
  static Behavior<ControlMessage> create(
      ActorRef<ControlMessage> coordinator,
      String endpoint,
      long incarnation,
      CompletableFuture<ReaderSeat> seat) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers -> {
                  timers.startTimerWithFixedDelay(Tick.TICK, Duration.ZERO, REGISTER_EVERY);
                  return new ReaderActor(context, coordinator, endpoint, incarnation, seat);
                }));
  }

  @Override
  public Receive<ControlMessage> createReceive() {
    return newReceiveBuilder()
        .onMessage(Tick.class, tick -> register())
        .onMessage(
            Registered.class,
            registered -> {
              self = registered.node();
              return this;
            })
        .onMessage(MapForReader.class, this::onMap)
        .onMessage(RegistrationRefused.class, refused -> over(refused.reason()))
        .onMessage(Stop.class, stop -> over(stop.reason()))
        .build();
  }

  private Behavior<ControlMessage> register() {
    coordinator.tell(
        new Register(
            NodeId.Role.READER,
            -1,
            incarnation,
            endpoint,
            ProcessHandle.current().pid(),
            getContext().getSelf()));
    return this;
  }

  private Behavior<ControlMessage> onMap(MapForReader message) {
    if (self == null || message.map().member(self).isEmpty()) {
      return this; // An older one.
    }
    if (taken == null) {
      taken = new ReaderSeat(message.map().member(self).orElseThrow(), message.map());
      seat.complete(taken);
    } else {
      taken.moved(message.map());
    }
    return this;
  }

  private Behavior<ControlMessage> over(String reason) {
    seat.completeExceptionally(new IllegalStateException(reason));
    if (taken != null) {
      taken.over(reason);
    }
    return Behaviors.stopped();
  }
}
