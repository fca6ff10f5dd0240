package io.holdfast.server.control;

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
import io.holdfast.config.control.ServerControl;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.transport.DataLink;
import io.holdfast.config.transport.LinkFactory;
import io.holdfast.server.ServerAgent;
import io.holdfast.server.storage.MemorySettings;
import java.time.Duration;
import org.agrona.concurrent.AgentRunner;
import org.agrona.concurrent.SystemNanoClock;

/**
 * A server's control plane. Offers itself to the coordinator until it is registered; on StartServer
 * opens the data link and starts the agent; forwards control messages to the agent, whose answers
 * go to the coordinator directly. When the agent fails, tells the coordinator and stops. However it
 * stops, agent, memory and link are gone afterwards.
 */
public final class ServerActor extends AbstractBehavior<ControlMessage> {
  private static final Duration REGISTER_EVERY = Duration.ofSeconds(1);

  private enum RegisterTick implements ControlMessage {
    INSTANCE
  }

  private record AgentFailed(String reason) implements ControlMessage {}

  private final TimerScheduler<ControlMessage> timers;
  private final ActorRef<ControlMessage> coordinator;
  private final LinkFactory links;
  private final int preferredIndex;
  private final long incarnation;
  private final MemorySettings memory;
  private NodeId self;
  private ServerAgent agent;
  private AgentRunner runner;

  private ServerActor(
      ActorContext<ControlMessage> context,
      TimerScheduler<ControlMessage> timers,
      ActorRef<ControlMessage> coordinator,
      LinkFactory links,
      int preferredIndex,
      long incarnation,
      MemorySettings memory) {
    super(context);
    this.timers = timers;
    this.coordinator = coordinator;
    this.links = links;
    this.preferredIndex = preferredIndex;
    this.incarnation = incarnation;
    this.memory = memory;
  }

  /**
   * A server that is to be.
   *
   * @param coordinator the coordinator or a proxy of it
   * @param links opens the data link; closed by the caller after this actor has stopped
   * @param preferredIndex the index it would like, or -1
   * @param incarnation drawn at random when the process started
   */
  public static Behavior<ControlMessage> create(
      ActorRef<ControlMessage> coordinator,
      LinkFactory links,
      int preferredIndex,
      long incarnation,
      MemorySettings memory) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers -> {
                  timers.startTimerWithFixedDelay(
                      RegisterTick.INSTANCE, Duration.ZERO, REGISTER_EVERY);
                  return new ServerActor(
                      context, timers, coordinator, links, preferredIndex, incarnation, memory);
                }));
  }

  @Override
  public Receive<ControlMessage> createReceive() {
    return newReceiveBuilder()
        .onMessage(RegisterTick.class, tick -> register())
        .onMessage(JobControl.Registered.class, this::onRegistered)
        .onMessage(JobControl.RegistrationRefused.class, this::onRefused)
        .onMessage(ServerControl.StartServer.class, this::onStart)
        .onMessage(JobControl.Stop.class, this::onStop)
        .onMessage(AgentFailed.class, this::onFailed)
        .onAnyMessage(this::forward)
        .onSignal(PostStop.class, signal -> onPostStop())
        .build();
  }

  private Behavior<ControlMessage> register() {
    coordinator.tell(
        new Register(
            NodeId.Role.SERVER,
            preferredIndex,
            incarnation,
            links.endpoint(),
            ProcessHandle.current().pid(),
            getContext().getSelf()));
    return this;
  }

  private Behavior<ControlMessage> onRegistered(JobControl.Registered message) {
    timers.cancel(RegisterTick.INSTANCE);
    self = message.node();
    getContext().getLog().info("Registered as {}", self);
    return this;
  }

  private Behavior<ControlMessage> onRefused(JobControl.RegistrationRefused message) {
    getContext().getLog().warn("Not needed as a server: {}", message.reason());
    return Behaviors.stopped();
  }

  private Behavior<ControlMessage> onStart(ServerControl.StartServer message) {
    timers.cancel(RegisterTick.INSTANCE);
    if (agent != null) {
      agent.submit(message);
      return this;
    }
    self = message.self();
    ActorRef<ControlMessage> me = getContext().getSelf();
    DataLink link;
    try {
      link = links.open(self);
    } catch (RuntimeException e) {
      return onFailed(new AgentFailed("cannot open the data link: " + e.getMessage()));
    }
    agent =
        new ServerAgent(
            message,
            incarnation,
            links.endpoint(),
            link,
            memory,
            SystemNanoClock.INSTANCE,
            coordinator::tell,
            e -> me.tell(new AgentFailed(e.getMessage() == null ? e.toString() : e.getMessage())));
    runner =
        new AgentRunner(
            agent.idleStrategy(),
            e -> {
              // The agent has reported it.
            },
            null,
            agent);
    AgentRunner.startOnThread(runner);
    return this;
  }

  private Behavior<ControlMessage> forward(ControlMessage message) {
    if (agent == null) {
      getContext()
          .getLog()
          .warn("Ignored a {} before the start", message.getClass().getSimpleName());
    } else {
      agent.submit(message);
    }
    return this;
  }

  private Behavior<ControlMessage> onStop(JobControl.Stop message) {
    if (message.isExpulsion()) {
      getContext().getLog().warn("{} ends: {}", self, message.reason());
    } else {
      getContext().getLog().info("Stopping: {}", message.reason());
    }
    return Behaviors.stopped();
  }

  private Behavior<ControlMessage> onFailed(AgentFailed message) {
    coordinator.tell(new ServerControl.ServerFailed(self, incarnation, message.reason()));
    return Behaviors.stopped();
  }

  private Behavior<ControlMessage> onPostStop() {
    if (runner != null) {
      agent.wakeUp();
      runner.close();
    }
    return this;
  }
}
