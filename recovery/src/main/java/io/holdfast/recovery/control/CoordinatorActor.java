package io.holdfast.recovery.control;

import akka.actor.Address;
import akka.actor.typed.ActorRef;
import akka.actor.typed.ActorSystem;
import akka.actor.typed.Behavior;
import akka.actor.typed.PostStop;
import akka.actor.typed.javadsl.AbstractBehavior;
import akka.actor.typed.javadsl.ActorContext;
import akka.actor.typed.javadsl.Behaviors;
import akka.actor.typed.javadsl.Receive;
import akka.cluster.ClusterEvent;
import akka.cluster.Member;
import akka.cluster.MemberStatus;
import akka.cluster.typed.Cluster;
import akka.cluster.typed.ClusterSingleton;
import akka.cluster.typed.ClusterSingletonSettings;
import akka.cluster.typed.Down;
import akka.cluster.typed.SingletonActor;
import akka.cluster.typed.Subscribe;
import io.holdfast.config.control.ControlMessage;
import io.holdfast.config.control.ControlPlane;
import io.holdfast.config.control.DescribeJob;
import io.holdfast.config.control.JobControl.JobDescribed;
import io.holdfast.config.control.Register;
import io.holdfast.config.control.WorkerControl.EpochCommitted;
import io.holdfast.config.job.JobSpec;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.settings.TransportSettings;
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
 * The coordinator as an actor: knows which actor is which process, watches them, brings the time.
 * Everything else is {@link JobCoordinator}'s. Whoever stops it before the job's end fails the job:
 * its state is nowhere else.
 */
public final class CoordinatorActor extends AbstractBehavior<ControlMessage> {
  private static final String NAME = "coordinator";
  private static final Duration TICK = Duration.ofMillis(50);

  private record Tick() implements ControlMessage {}

  private record Gone(long incarnation) implements ControlMessage {}

  /** No process of this host and port is a member of the cluster any more, or ever again. */
  private record MemberGone(Address address) implements ControlMessage {}

  /** The host of a process says that nothing listens on its port. */
  private record RefusedConnection(Address address) implements ControlMessage {}

  private final JobCoordinator coordinator;
  private final JobDescribed description;
  private final Consumer<JobOutcome> onOutcome;
  private final Consumer<JobProgress> onProgress;
  private final Consumer<EpochCommitted> onCommitted;
  private final Map<Long, ActorRef<ControlMessage>> processes = new HashMap<>();
  private final Map<NodeId, Long> nodes = new HashMap<>();
  private final Cluster cluster;
  private final PortProbe probe;
  private boolean outcomeTold;

  /**
   * What the coordinator is told when it starts.
   *
   * @param transport how others reach the job's data links
   * @param onOutcome how the job ended; called on the actor's thread, so it must not block
   * @param onProgress about ten times a second; must not block
   * @param onCommitted a worker's first iteration in an epoch is applied; must not block
   */
  public record Job(
      JobSpec spec,
      TrainingData data,
      CoordinatorSettings settings,
      TransportSettings transport,
      Consumer<JobOutcome> onOutcome,
      Consumer<JobProgress> onProgress,
      Consumer<EpochCommitted> onCommitted) {}

  private CoordinatorActor(ActorContext<ControlMessage> context, Job job) {
    super(context);
    this.description = new JobDescribed(job.spec(), job.transport());
    this.onOutcome = job.onOutcome();
    this.onProgress = job.onProgress();
    this.onCommitted = job.onCommitted();
    this.coordinator = new JobCoordinator(job.spec(), job.data(), job.settings(), new Effects());
    this.cluster = Cluster.get(context.getSystem());
    ActorRef<ControlMessage> self = context.getSelf();
    this.probe = new PortProbe(address -> self.tell(new RefusedConnection(address)));
    ActorRef<ClusterEvent.MemberEvent> events =
        context.messageAdapter(
            ClusterEvent.MemberEvent.class,
            event ->
                event instanceof ClusterEvent.MemberDowned
                        || event instanceof ClusterEvent.MemberRemoved
                    ? new MemberGone(event.member().address())
                    : new Tick());
    cluster.subscriptions().tell(Subscribe.create(events, ClusterEvent.MemberEvent.class));
  }

  /** The coordinator of one job. */
  public static Behavior<ControlMessage> create(Job job) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers -> {
                  timers.startTimerWithFixedDelay(new Tick(), TICK);
                  return new CoordinatorActor(context, job);
                }));
  }

  /** Hosts the cluster's one coordinator on this node, which must have its role. */
  public static ActorRef<ControlMessage> singleton(ActorSystem<?> system, Job job) {
    return init(system, create(job));
  }

  /** The cluster's coordinator, wherever it is; messages wait until it is found. */
  public static ActorRef<ControlMessage> proxy(ActorSystem<?> system) {
    return init(system, Behaviors.empty());
  }

  private static ActorRef<ControlMessage> init(
      ActorSystem<?> system, Behavior<ControlMessage> behavior) {
    return ClusterSingleton.get(system)
        .init(
            SingletonActor.of(behavior, NAME)
                .withSettings(
                    ClusterSingletonSettings.create(system)
                        .withRole(ControlPlane.COORDINATOR_ROLE)));
  }

  @Override
  public Receive<ControlMessage> createReceive() {
    return newReceiveBuilder()
        .onMessage(Tick.class, tick -> onTick())
        .onMessage(Gone.class, this::onGone)
        .onMessage(MemberGone.class, this::onMemberGone)
        .onMessage(RefusedConnection.class, this::onRefusedConnection)
        .onMessage(Register.class, this::onRegister)
        .onMessage(DescribeJob.class, this::onDescribe)
        .onMessage(EpochCommitted.class, this::onCommitted)
        .onMessage(ControlMessage.class, this::onOther)
        .onSignal(PostStop.class, stop -> onPostStop())
        .build();
  }

  private Behavior<ControlMessage> onTick() {
    coordinator.tick(System.nanoTime());
    return this;
  }

  /** Akka drops watches of processes that are not yet members here; they register again. */
  private Behavior<ControlMessage> onRegister(Register register) {
    if (!isMember(register.actor())) {
      return this;
    }
    if (processes.putIfAbsent(register.incarnation(), register.actor()) == null) {
      probe.watch(register.actor().path().address());
      getContext().watchWith(register.actor(), new Gone(register.incarnation()));
    }
    return onOther(register);
  }

  private Behavior<ControlMessage> onDescribe(DescribeJob question) {
    question.replyTo().tell(description);
    return this;
  }

  private Behavior<ControlMessage> onCommitted(EpochCommitted committed) {
    onCommitted.accept(committed);
    return this;
  }

  private boolean isMember(ActorRef<?> actor) {
    Address address = actor.path().address();
    if (address.hasLocalScope()) {
      return true;
    }
    for (Member member : cluster.state().getMembers()) {
      if (member.address().equals(address) && member.status().equals(MemberStatus.up())) {
        return true;
      }
    }
    return false;
  }

  private Behavior<ControlMessage> onRefusedConnection(RefusedConnection refused) {
    getContext()
        .getLog()
        .warn("Nobody listens at {} any more: its process has ended", refused.address);
    // Else the failure detector would have to find it, and the resolver to decide on it.
    cluster.manager().tell(new Down(refused.address));
    return onMemberGone(new MemberGone(refused.address));
  }

  private Behavior<ControlMessage> onMemberGone(MemberGone gone) {
    probe.forget(gone.address);
    for (Map.Entry<Long, ActorRef<ControlMessage>> entry : Map.copyOf(processes).entrySet()) {
      if (entry.getValue().path().address().equals(gone.address)) {
        onGone(new Gone(entry.getKey()));
      }
    }
    return this;
  }

  private Behavior<ControlMessage> onGone(Gone gone) {
    long incarnation = gone.incarnation;
    processes.remove(incarnation);
    coordinator.onCandidateDown(incarnation);
    for (Map.Entry<NodeId, Long> entry : Map.copyOf(nodes).entrySet()) {
      if (entry.getValue() == incarnation) {
        nodes.remove(entry.getKey());
        coordinator.onNodeDown(
            entry.getKey(),
            incarnation,
            "its process ended, or was silent for too long",
            System.nanoTime());
      }
    }
    return this;
  }

  private Behavior<ControlMessage> onOther(ControlMessage message) {
    coordinator.on(message, System.nanoTime());
    return this;
  }

  private Behavior<ControlMessage> onPostStop() {
    probe.close();
    if (!outcomeTold) {
      outcomeTold = true;
      onOutcome.accept(
          new JobOutcome.JobFailed(
              JobOutcome.FailureKind.INTERNAL,
              "the coordinator was stopped: its actor system ended, its side of a partition has no"
                  + " majority of servers, or it failed itself (then the log tells how)"));
    }
    return this;
  }

  private final class Effects implements CoordinatorEffects {
    @Override
    public void named(NodeId node, long incarnation) {
      nodes.put(node, incarnation);
    }

    @Override
    public void send(NodeId to, ControlMessage message) {
      Long incarnation = nodes.get(to);
      if (incarnation != null) {
        toUnregistered(incarnation, message);
      }
    }

    @Override
    public void toUnregistered(long incarnation, ControlMessage message) {
      ActorRef<ControlMessage> process = processes.get(incarnation);
      if (process != null) {
        process.tell(message);
      }
    }

    @Override
    public void outcome(JobOutcome outcome) {
      outcomeTold = true;
      onOutcome.accept(outcome);
    }

    @Override
    public void progress(JobProgress progress) {
      onProgress.accept(progress);
    }
  }
}
