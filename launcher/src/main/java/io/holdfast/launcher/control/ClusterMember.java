package io.holdfast.launcher.control;

import akka.actor.typed.ActorRef;
import akka.actor.typed.ActorSystem;
import akka.actor.typed.Behavior;
import akka.actor.typed.Props;
import akka.cluster.MemberStatus;
import akka.cluster.typed.Cluster;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import io.holdfast.config.control.ControlMessage;
import io.holdfast.config.control.ControlPlane;
import io.holdfast.config.control.JobControl.JobDescribed;
import io.holdfast.config.control.JobControl.Stop;
import io.holdfast.config.control.WorkerControl.EpochCommitted;
import io.holdfast.config.job.JobSpec;
import io.holdfast.config.settings.ClusterSettings;
import io.holdfast.config.settings.TransportSettings;
import io.holdfast.config.transport.LinkFactory;
import io.holdfast.recovery.CoordinatorSettings;
import io.holdfast.recovery.JobOutcome;
import io.holdfast.recovery.JobProgress;
import io.holdfast.recovery.TrainingData;
import io.holdfast.recovery.control.CoordinatorActor;
import io.holdfast.server.control.ServerActor;
import io.holdfast.server.storage.MemorySettings;
import io.holdfast.worker.control.WorkerActor;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;

/** This process's member of the Akka cluster, and the actors that it runs there. */
public final class ClusterMember implements AutoCloseable {
  private static final Duration REPEAT_AFTER = Duration.ofSeconds(1);
  private static final long SEAT_NANOS = TimeUnit.SECONDS.toNanos(30);
  private static final long TERMINATE_SECONDS = 20;

  /** What a process is in the cluster. */
  public enum Part {
    COORDINATOR(ControlPlane.COORDINATOR_ROLE),
    SERVER(ControlPlane.SERVER_ROLE),
    WORKER(ControlPlane.WORKER_ROLE),
    READER(ControlPlane.READER_ROLE);

    private final String role;

    Part(String role) {
      this.role = role;
    }
  }

  private final ActorSystem<Void> system;
  private final long seatNanos;
  private ActorRef<ControlMessage> coordinator;

  private ClusterMember(ActorSystem<Void> system, long seatNanos) {
    this.system = system;
    this.seatNanos = seatNanos;
  }

  /**
   * Joins the cluster, or begins it where the settings name no seeds.
   *
   * @throws RuntimeException if the control plane's port cannot be bound
   */
  public static ClusterMember start(ClusterSettings settings, Part part) {
    Config config =
        ConfigFactory.parseMap(
                Map.of(
                    "akka.cluster.failure-detector.acceptable-heartbeat-pause",
                    settings.failurePauseNanos() / 1_000_000 + "ms"))
            .withFallback(
                ControlPlane.config(settings.host(), settings.port(), List.of(part.role)));
    // A reader from outside may come before the job's own processes have.
    long seatNanos = part == Part.READER ? settings.joinTimeoutNanos() : SEAT_NANOS;
    ClusterMember member =
        new ClusterMember(ControlPlane.start(config, settings.seeds()), seatNanos);
    if (part != Part.COORDINATOR) {
      member.coordinator = CoordinatorActor.proxy(member.system);
    }
    return member;
  }

  /** {@code host:port} of this member: what others take as their seed. */
  public String address() {
    return ControlPlane.seed(system);
  }

  /**
   * Offers to host the coordinator of a job.
   *
   * @param standby most servers that may wait to take a lost one's place
   * @param transport how processes that join later reach the job's data links
   */
  public void startCoordinator(
      JobSpec job,
      TrainingData data,
      long sessionKey,
      int standby,
      TransportSettings transport,
      Consumer<JobOutcome> outcomes,
      Consumer<JobProgress> progress,
      Consumer<EpochCommitted> committed) {
    coordinator =
        CoordinatorActor.singleton(
            system,
            new CoordinatorActor.Job(
                job,
                data,
                new CoordinatorSettings(1, sessionKey, REPEAT_AFTER.toNanos(), standby),
                transport,
                outcomes,
                progress,
                committed));
  }

  /** Starts a server. The future completes once it has stopped. */
  public CompletableFuture<Void> startServer(
      LinkFactory links, int index, long incarnation, MemorySettings memory) {
    return spawn(
        index < 0 ? "standby-" + Long.toHexString(incarnation) : "server-" + index,
        ServerActor.create(coordinator, links, index, incarnation, memory));
  }

  /** Starts a worker. The future completes once it has stopped. */
  public CompletableFuture<Void> startWorker(LinkFactory links, int index, long incarnation) {
    return spawn("worker-" + index, WorkerActor.create(coordinator, links, index, incarnation));
  }

  private CompletableFuture<Void> spawn(String name, Behavior<ControlMessage> behavior) {
    CompletableFuture<Void> stopped = new CompletableFuture<>();
    system.systemActorOf(NodeGuardian.create(behavior, stopped), name, Props.empty());
    return stopped;
  }

  /** Asks what the job of the cluster is. Empty if no coordinator answers in time. */
  public Optional<JobDescribed> describeJob() throws InterruptedException {
    CompletableFuture<JobDescribed> described = new CompletableFuture<>();
    system.systemActorOf(
        DescriptionActor.create(coordinator, described), "job-description", Props.empty());
    try {
      return Optional.of(described.get(seatNanos, TimeUnit.NANOSECONDS));
    } catch (ExecutionException | TimeoutException e) {
      return Optional.empty();
    }
  }

  /** Gets a reader its place in the cluster. */
  public ReaderSeat takeSeat(LinkFactory links, long incarnation) throws InterruptedException {
    CompletableFuture<ReaderSeat> seat = new CompletableFuture<>();
    system.systemActorOf(
        ReaderActor.create(coordinator, links.endpoint(), incarnation, seat),
        "reader-" + Long.toHexString(incarnation),
        Props.empty());
    try {
      return seat.get(seatNanos, TimeUnit.NANOSECONDS);
    } catch (ExecutionException | TimeoutException e) {
      throw new IllegalStateException("the coordinator gives no reader a place: " + e, e);
    }
  }

  /** Tells the coordinator something. */
  public void tell(ControlMessage message) {
    coordinator.tell(message);
  }

  /** Ends the job and all its processes. */
  public void stopJob(String reason) {
    coordinator.tell(new Stop(reason));
  }

  /** Waits until a node has stopped, or this process has left the cluster. */
  public void awaitAny(CompletableFuture<Void> node) throws InterruptedException {
    try {
      CompletableFuture.anyOf(node, system.getWhenTerminated().toCompletableFuture()).get();
    } catch (ExecutionException e) {
      throw new IllegalStateException(e.getCause());
    }
  }

  /** Whether the others took this process for dead, so that it is no member any more. */
  public boolean wasExpelled() {
    MemberStatus status = Cluster.get(system).selfMember().status();
    return status.equals(MemberStatus.down()) || status.equals(MemberStatus.removed());
  }

  @Override
  public void close() {
    system.terminate();
    try {
      system.getWhenTerminated().toCompletableFuture().get(TERMINATE_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException | TimeoutException e) {
      system.log().warn("the control plane did not end in time: {}", e.toString());
    }
  }
}
