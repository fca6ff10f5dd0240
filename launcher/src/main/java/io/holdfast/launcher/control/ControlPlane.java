package io.holdfast.launcher.control;

import akka.actor.Address;
import akka.actor.typed.ActorRef;
import akka.actor.typed.ActorSystem;
import akka.actor.typed.Behavior;
import akka.actor.typed.Props;
import akka.actor.typed.javadsl.Behaviors;
import akka.cluster.typed.Cluster;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigValueFactory;
import io.holdfast.config.control.ControlMessage;
import io.holdfast.config.control.JobControl.Stop;
import io.holdfast.config.job.JobSpec;
import io.holdfast.config.settings.ClusterSettings;
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
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;

/** This process's member of the Akka cluster, and the actors that it runs there. */
public final class ControlPlane implements AutoCloseable {
  private static final String SYSTEM = "holdfast";
  private static final Duration REPEAT_AFTER = Duration.ofSeconds(1);
  private static final long SEAT_SECONDS = 30;
  private static final long TERMINATE_SECONDS = 20;

  /** What a process is in the cluster; also the name of its role. */
  public enum Part {
    COORDINATOR,
    SERVER,
    WORKER
  }

  private final ActorSystem<Void> system;
  private ActorRef<ControlMessage> coordinator;

  private ControlPlane(ActorSystem<Void> system) {
    this.system = system;
  }

  /**
   * Joins the cluster, or begins it where the settings name no seeds.
   *
   * @throws RuntimeException if the control plane's port cannot be bound
   */
  public static ControlPlane start(ClusterSettings settings, Part part) {
    Config config = config(settings, part);
    ActorSystem<Void> system = ActorSystem.create(Behaviors.empty(), SYSTEM, config);
    ControlPlane control = new ControlPlane(system);
    Cluster cluster = Cluster.get(system);
    if (settings.seeds().isEmpty()) {
      cluster.manager().tell(akka.cluster.typed.Join.create(cluster.selfMember().address()));
    } else {
      cluster
          .manager()
          .tell(
              new akka.cluster.typed.JoinSeedNodes(
                  settings.seeds().stream().map(ControlPlane::address).toList()));
    }
    if (part != Part.COORDINATOR) {
      control.coordinator = CoordinatorActor.proxy(system);
    }
    return control;
  }

  private static Config config(ClusterSettings settings, Part part) {
    return ConfigFactory.empty()
        .withValue(
            "akka.remote.artery.canonical.hostname", ConfigValueFactory.fromAnyRef(settings.host()))
        .withValue(
            "akka.remote.artery.canonical.port", ConfigValueFactory.fromAnyRef(settings.port()))
        .withValue(
            "akka.cluster.roles",
            ConfigValueFactory.fromIterable(List.of(part.name().toLowerCase(Locale.ROOT))))
        .withValue(
            "akka.cluster.failure-detector.acceptable-heartbeat-pause",
            ConfigValueFactory.fromAnyRef(settings.failurePauseNanos() / 1_000_000 + "ms"))
        .withFallback(ConfigFactory.parseResources("holdfast-control-plane.conf"))
        .withFallback(ConfigFactory.load());
  }

  private static Address address(String hostAndPort) {
    int colon = hostAndPort.lastIndexOf(':');
    return new Address(
        "akka",
        SYSTEM,
        hostAndPort.substring(0, colon),
        Integer.parseInt(hostAndPort.substring(colon + 1)));
  }

  /** {@code host:port} of this member: what others take as their seed. */
  public String address() {
    Address self = Cluster.get(system).selfMember().address();
    return self.host().get() + ":" + self.port().get();
  }

  /** Offers to host the coordinator of a job. */
  public void startCoordinator(
      JobSpec job,
      TrainingData data,
      long sessionKey,
      Consumer<JobOutcome> outcomes,
      Consumer<JobProgress> progress) {
    coordinator =
        CoordinatorActor.singleton(
            system,
            job,
            data,
            new CoordinatorSettings(1, sessionKey, REPEAT_AFTER.toNanos()),
            outcomes,
            progress);
  }

  /** Starts a server. The future completes once it has stopped. */
  public CompletableFuture<Void> startServer(
      LinkFactory links, int index, long incarnation, MemorySettings memory) {
    return spawn(
        "server-" + index, ServerActor.create(coordinator, links, index, incarnation, memory));
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

  /** Gets a reader its place in the cluster. */
  public ReaderSeat takeSeat(LinkFactory links, long incarnation) throws InterruptedException {
    CompletableFuture<ReaderSeat> seat = new CompletableFuture<>();
    system.systemActorOf(
        ReaderActor.create(coordinator, links.endpoint(), incarnation, seat),
        "reader-" + Long.toHexString(incarnation),
        Props.empty());
    try {
      return seat.get(SEAT_SECONDS, TimeUnit.SECONDS);
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
