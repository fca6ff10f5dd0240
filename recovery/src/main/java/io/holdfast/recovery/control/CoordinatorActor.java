package io.holdfast.recovery.control;

import akka.actor.typed.ActorRef;
import akka.actor.typed.ActorSystem;
import akka.actor.typed.Behavior;
import akka.actor.typed.Terminated;
import akka.actor.typed.javadsl.AbstractBehavior;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.javadsl.Receive;
import akka.cluster.typed.ClusterSingleton;
import akka.cluster.typed.ClusterSingletonSettings;
import akka.cluster.typed.SingletonActor;
import io.holdfast.config.control.ControlMessage;
import io.holdfast.config.control.JobControl;
import io.holdfast.config.control.Register;
import io.holdfast.config.job.JobSpec;
import io.holdfast.config.placement.NodeId;
import io.holdfast.recovery.CoordinatorEffects;
import io.holdfast.recovery.CoordinatorSettings;
import io.holdfast.recovery.JobCoordinator;
import io.holdfast.recovery.JobOutcome;
import io.holdfast.recovery.JobProgress;
import io.holdfast.recovery.TrainingData;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;

/**
 * The coordinator as a cluster singleton: clock, actors and death watch around its state machine.
 */
public final class CoordinatorActor extends AbstractBehavior<ControlMessage> {
  /** Role of the cluster members that may host it. */
  public static final String ROLE = "coordinator";

  private static final String NAME = "coordinator";
  private static final Duration TICK_EVERY = Duration.ofMillis(50);

  private enum Tick implements ControlMessage {
    TICK
  }

  private final JobCoordinator coordinator;
  private final Map<Long, ActorRef<ControlMessage>> actors = new HashMap<>();
  private final Map<ActorRef<ControlMessage>, Long> incarnations = new HashMap<>();
  private final Map<NodeId, Long> named = new HashMap<>();

  private CoordinatorActor(
      ActorContext<ControlMessage> context,
      JobSpec job,
      TrainingData data,
      CoordinatorSettings settings,
      Consumer<JobOutcome> outcomes,
      Consumer<JobProgress> progress) {
    super(context);
    this.coordinator = new JobCoordinator(job, data, settings, new Effects(outcomes, progress));
  }

  /**
   * Offers to host the coordinator, and gives a way to it wherever it is.
   *
   * @param outcomes hears how the job ended
   * @param progress hears how far it is
   */
  public static ActorRef<ControlMessage> singleton(
      ActorSystem<?> system,
      JobSpec job,
      TrainingData data,
      CoordinatorSettings settings,
      Consumer<JobOutcome> outcomes,
      Consumer<JobProgress> progress) {
    Behavior<ControlMessage> behavior =
        Behaviors.setup(
            context ->
                Behaviors.withTimers(
                    timers -> {
                      timers.startTimerWithFixedDelay(Tick.TICK, TICK_EVERY);
                      return new CoordinatorActor(context, job, data, settings, outcomes, progress);
                    }));
    return init(system, behavior);
  }

  /** A way to the coordinator for members that cannot host it. */
  public static ActorRef<ControlMessage> proxy(ActorSystem<?> system) {
    return init(system, Behaviors.empty());
  }

  private static ActorRef<ControlMessage> init(
      ActorSystem<?> system, Behavior<ControlMessage> behavior) {
    return ClusterSingleton.get(system)
        .init(
            SingletonActor.of(behavior, NAME)
                .withSettings(ClusterSingletonSettings.create(system).withRole(ROLE)));
  }

  @Override
  public Receive<ControlMessage> createReceive() {
    return newReceiveBuilder()
        .onMessage(
            Tick.class,
            tick -> {
              coordinator.tick(System.nanoTime());
              return this;
            })
        .onMessage(Register.class, this::onRegister)
        .onMessage(
            ControlMessage.class,
            message -> {
              coordinator.on(message, System.nanoTime());
              return this;
            })
        .onSignal(Terminated.class, this::onTerminated)
        .build();
  }

  private Behavior<ControlMessage> onRegister(Register register) {
    if (actors.put(register.incarnation(), register.actor()) == null) {
      incarnations.put(register.actor(), register.incarnation());
      getContext().watch(register.actor());
    }
    coordinator.on(register, System.nanoTime());
    return this;
  }

  private Behavior<ControlMessage> onTerminated(Terminated terminated) {
    Long incarnation = incarnations.remove(terminated.getRef().<ControlMessage>unsafeUpcast());
    if (incarnation != null) {
      actors.remove(incarnation);
      coordinator.onCandidateDown(incarnation);
      named.forEach(
          (node, holder) -> {
            if (holder.equals(incarnation)) {
              coordinator.onNodeDown(node, holder, "its actor ended", System.nanoTime());
            }
          });
    }
    return this;
  }

  private final class Effects implements CoordinatorEffects {
    private final Consumer<JobOutcome> outcomes;
    private final Consumer<JobProgress> progress;

    Effects(Consumer<JobOutcome> outcomes, Consumer<JobProgress> progress) {
      this.outcomes = outcomes;
      this.progress = progress;
    }

    @Override
    public void named(NodeId node, long incarnation) {
      named.put(node, incarnation);
      toUnregistered(incarnation, new JobControl.Registered(node));
    }

    @Override
    public void send(NodeId to, ControlMessage message) {
      Long incarnation = named.get(to);
      if (incarnation != null) {
        toUnregistered(incarnation, message);
      }
    }

    @Override
    public void toUnregistered(long incarnation, ControlMessage message) {
      ActorRef<ControlMessage> actor = actors.get(incarnation);
      if (actor != null) {
        actor.tell(message);
      }
    }

    @Override
    public void outcome(JobOutcome outcome) {
      outcomes.accept(outcome);
    }

    @Override
    public void progress(JobProgress now) {
      progress.accept(now);
    }
  }
}
