package io.holdfast.config.control;

import akka.actor.Address;
import akka.actor.AddressFromURIString;
import akka.actor.typed.ActorSystem;
import akka.actor.typed.javadsl.Behaviors;
import akka.cluster.typed.Cluster;
import akka.cluster.typed.JoinSeedNodes;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigParseOptions;
import java.util.Collection;
import java.util.List;
import java.util.Map;

/** Starts a process's part of the control plane: an actor system that joins the job's cluster. */
public final class ControlPlane {
  /** Every process of a cluster must use the same. */
  public static final String SYSTEM = "holdfast";

  /** Cluster roles. The split brain resolver counts servers only. */
  public static final String SERVER_ROLE = "server";

  public static final String WORKER_ROLE = "worker";
  public static final String READER_ROLE = "reader";
  public static final String COORDINATOR_ROLE = "coordinator";

  private ControlPlane() {}

  /**
   * Settings of an actor system: those given here, then system properties, then {@code
   * application.conf}, then {@code holdfast-cluster.conf}, then Akka's own.
   *
   * @param host that others reach this process by, also bound to
   * @param port 0 for any free one
   * @param roles of this process
   */
  public static Config config(String host, int port, Collection<String> roles) {
    Config own =
        ConfigFactory.parseMap(
            Map.of(
                "akka.remote.artery.canonical.hostname",
                host,
                "akka.remote.artery.canonical.port",
                port,
                "akka.cluster.roles",
                List.copyOf(roles)),
            "the process's own address and roles");
    ConfigParseOptions strict = ConfigParseOptions.defaults().setAllowMissing(false);
    return own.withFallback(ConfigFactory.defaultOverrides())
        .withFallback(ConfigFactory.defaultApplication())
        .withFallback(ConfigFactory.parseResourcesAnySyntax("holdfast-cluster.conf", strict))
        .withFallback(ConfigFactory.defaultReferenceUnresolved())
        .resolve();
  }

  /**
   * An actor system in a cluster. Ends when it is terminated, or when it was downed.
   *
   * @param config from {@link #config}
   * @param seeds {@code host:port} of processes that are there already; none: this is the first
   * @throws IllegalArgumentException naming a seed that is not {@code host:port}
   */
  public static ActorSystem<Void> start(Config config, List<String> seeds) {
    List<Address> addresses = seeds.stream().map(ControlPlane::address).toList();
    ActorSystem<Void> system = ActorSystem.create(Behaviors.empty(), SYSTEM, config);
    Cluster cluster = Cluster.get(system);
    cluster
        .manager()
        .tell(
            new JoinSeedNodes(
                addresses.isEmpty() ? List.of(cluster.selfMember().address()) : addresses));
    return system;
  }

  /** {@code host:port} that others give as a seed to join this process. */
  public static String seed(ActorSystem<?> system) {
    return Cluster.get(system).selfMember().address().hostPort().replaceFirst("^.*@", "");
  }

  private static Address address(String seed) {
    if (!seed.matches("[^:@/\\s]+:\\d{1,5}")) {
      throw new IllegalArgumentException("seed '" + seed + "' is not HOST:PORT");
    }
    return AddressFromURIString.parse("akka://" + SYSTEM + "@" + seed);
  }
}
