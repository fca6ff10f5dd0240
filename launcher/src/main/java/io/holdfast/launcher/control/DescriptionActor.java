package io.holdfast.launcher.control;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.javadsl.Behaviors;
import io.holdfast.config.control.ControlMessage;
import io.holdfast.config.control.DescribeJob;
import io.holdfast.config.control.JobControl.JobDescribed;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/** Asks the coordinator what the job is. */
final class DescriptionActor {
  private static final Duration ASK_EVERY = Duration.ofSeconds(1);

  private enum Tick implements ControlMessage {
    TICK
  }

  private DescriptionActor() {}

  /**
   * Asks until it is answered.
   *
   * @param described completes with the answer
   */
  static Behavior<ControlMessage> create(
      ActorRef<ControlMessage> coordinator, CompletableFuture<JobDescribed> described) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers -> {
                  timers.startTimerWithFixedDelay(Tick.TICK, Duration.ZERO, ASK_EVERY);
                  return Behaviors.receive(ControlMessage.class)
                      .onMessage(
                          Tick.class,
                          tick -> {
                            coordinator.tell(new DescribeJob(context.getSelf()));
                            return Behaviors.same();
                          })
                      .onMessage(
                          JobDescribed.class,
                          answer -> {
                            described.complete(answer);
                            return Behaviors.stopped();
                          })
                      .build();
                }));
  }
}
