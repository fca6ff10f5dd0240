package io.holdfast.launcher.control;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.Behaviors;
import io.holdfast.config.control.ControlMessage;
import io.holdfast.config.control.JobControl.MapForReader;
import io.holdfast.config.control.JobControl.Registered;
import io.holdfast.config.control.JobControl.RegistrationRefused;
import io.holdfast.config.control.JobControl.Stop;
import io.holdfast.config.control.Register;
import io.holdfast.config.placement.NodeId;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/** Asks the coordinator for a reader's place in the cluster. */
final class ReaderActor {
  private static final Duration REGISTER_EVERY = Duration.ofSeconds(1);

  private enum Tick implements ControlMessage {
    TICK
  }

  private ReaderActor() {}

  /**
   * Registers until the map names this reader.
   *
   * @param seat completes with the reader's place
   */
  static Behavior<ControlMessage> create(
      ActorRef<ControlMessage> coordinator,
      String endpoint,
      long incarnation,
      CompletableFuture<ReaderSeat> seat) {
    return Behaviors.withTimers(
        timers -> {
          timers.startTimerWithFixedDelay(Tick.TICK, Duration.ZERO, REGISTER_EVERY);
          NodeId[] self = new NodeId[1];
          return Behaviors.receive(ControlMessage.class)
              .onMessage(
                  Tick.class,
                  tick ->
                      Behaviors.setup(
                          context -> {
                            coordinator.tell(
                                new Register(
                                    NodeId.Role.READER,
                                    -1,
                                    incarnation,
                                    endpoint,
                                    ProcessHandle.current().pid(),
                                    context.getSelf()));
                            return Behaviors.same();
                          }))
              .onMessage(
                  Registered.class,
                  registered -> {
                    self[0] = registered.node();
                    return Behaviors.same();
                  })
              .onMessage(
                  MapForReader.class,
                  message -> {
                    if (self[0] != null && message.map().member(self[0]).isPresent()) {
                      timers.cancel(Tick.TICK);
                      seat.complete(
                          new ReaderSeat(
                              message.map().member(self[0]).orElseThrow(), message.map()));
                    }
                    return Behaviors.same();
                  })
              .onMessage(
                  RegistrationRefused.class,
                  refused -> {
                    seat.completeExceptionally(new IllegalStateException(refused.reason()));
                    return Behaviors.stopped();
                  })
              .onMessage(Stop.class, stop -> Behaviors.stopped())
              .build();
        });
  }
}
