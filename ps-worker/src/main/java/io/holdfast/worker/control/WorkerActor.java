package io.holdfast.worker.control;

import akka.actor.typed.ActorRef;
import akka.actor.typed.Behavior;
import akka.actor.typed.PostStop;
import akka.actor.typed.javadsl.AbstractBehavior;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.javadsl.Receive;
import akka.actor.typed.javadsl.TimerScheduler;
import io.holdfast.config.control.ControlMessage;
import io.holdfast.config.control.JobControl;
import io.holdfast.config.control.Register;
import io.holdfast.config.control.WorkerControl;
import io.holdfast.config.placement.Member;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.transport.LinkFactory;
import io.holdfast.criteo.CriteoDataException;
import io.holdfast.worker.FailureKind;
import io.holdfast.worker.WorkerAgent;
import java.time.Duration;

/** Offers a worker to the coordinator and owns its agent from start to stop. */
public final class WorkerActor extends AbstractBehavior<ControlMessage> {
  private static final Duration REGISTER_EVERY = Duration.ofSeconds(1);

  /** Time to offer the worker, once more. */
  private enum RegisterTick implements ControlMessage {
    TICK
  }

  private final ActorRef<ControlMessage> coordinator;
  private final LinkFactory links;
  private final int preferredIndex;
  private final long incarnation;
  private WorkerAgent agent;

  private WorkerActor(
      ActorContext<ControlMessage> context,
      TimerScheduler<ControlMessage> timers,
      ActorRef<ControlMessage> coordinator,
      LinkFactory links,
      int preferredIndex,
      long incarnation) {
    super(context);
    this.coordinator = coordinator;
    this.links = links;
    this.preferredIndex = preferredIndex;
    this.incarnation = incarnation;
    register();
    timers.startTimerWithFixedDelay(RegisterTick.TICK, REGISTER_EVERY);
  }

  /**
   * A worker's behaviour.
   *
   * @param coordinator the singleton, or its proxy
   * @param links where its data link comes from; stays the caller's
   * @param preferredIndex the index it would like, or -1
   * @param incarnation drawn at random when the process started
   */
  public static Behavior<ControlMessage> create(
      ActorRef<ControlMessage> coordinator,
      LinkFactory links,
      int preferredIndex,
      long incarnation) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers ->
                    new WorkerActor(
                        context, timers, coordinator, links, preferredIndex, incarnation)));
  }

  @Override
  public Receive<ControlMessage> createReceive() {
    return newReceiveBuilder()
        .onMessage(
            RegisterTick.class,
            tick -> {
              register();
              return this;
            })
        .onMessage(
            JobControl.Registered.class,
            registered -> {
              // Goes on offering itself: the answer tells anew what it should know and might have
              // lost, and tells a process that was declared dead to stop.
              return this;
            })
        .onMessage(
            JobControl.RegistrationRefused.class,
            refused -> {
              getContext().getLog().error("not needed: {}", refused.reason());
              return Behaviors.stopped();
            })
        .onMessage(WorkerControl.StartWorker.class, this::onStart)
        .onMessage(
            WorkerControl.WorkerEpoch.class,
            epoch -> {
              if (agent != null) {
                agent.onMap(epoch.map());
              }
              return this;
            })
        .onMessage(JobControl.Stop.class, stop -> Behaviors.stopped())
        .onMessage(
            ControlMessage.class,
            message -> {
              if (agent != null) {
                agent.onControl(message);
              }
              return this;
            })
        .onSignal(
            PostStop.class,
            signal -> {
              if (agent != null) {
                agent.close();
              }
              return this;
            })
        .build();
  }

  private void register() {
    coordinator.tell(
        new Register(
            NodeId.Role.WORKER,
            preferredIndex,
            incarnation,
            links.endpoint(),
            ProcessHandle.current().pid(),
            getContext().getSelf()));
  }

  private Behavior<ControlMessage> onStart(WorkerControl.StartWorker start) {
    if (agent != null) {
      return this;
    }
    Member self = new Member(start.self(), incarnation, links.endpoint());
    try {
      agent =
          new WorkerAgent(
              self, start.job(), start.map(), links.open(start.self()), coordinator::tell);
    } catch (CriteoDataException e) {
      return fail(start, FailureKind.DATA, e.getMessage());
    } catch (RuntimeException e) {
      getContext().getLog().error("{} cannot start", start.self(), e);
      return fail(start, FailureKind.INTERNAL, e.toString());
    }
    agent.start();
    return this;
  }

  private Behavior<ControlMessage> fail(
      WorkerControl.StartWorker start, FailureKind kind, String reason) {
    coordinator.tell(
        new WorkerControl.WorkerFailed(start.self(), incarnation, kind.word(), reason));
    return this;
  }
}
