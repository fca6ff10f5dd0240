package io.holdfast.benchmarks;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.holdfast.config.control.ServerControl;
import io.holdfast.config.job.JobSpec;
import io.holdfast.config.placement.Epoch;
import io.holdfast.config.placement.Member;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.placement.PlacementMap;
import io.holdfast.config.settings.LinkKind;
import io.holdfast.config.transport.AeronLinks;
import io.holdfast.config.transport.AeronSettings;
import io.holdfast.config.transport.InMemoryNetwork;
import io.holdfast.config.transport.LinkFactory;
import io.holdfast.launcher.process.ChildJvm;
import io.holdfast.launcher.process.ParentWatch;
import io.holdfast.server.ServerAgent;
import io.holdfast.server.storage.MemorySettings;
import io.holdfast.worker.LookupPlan;
import io.holdfast.worker.SyntheticWorker;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.agrona.concurrent.AgentRunner;
import org.agrona.concurrent.SystemNanoClock;

/**
 * Servers without a control plane, and one synthetic worker in this process. The servers are
 * processes, or threads of this one where the link is {@link LinkKind#MEMORY}. Parent and children
 * tell one another what the coordinator would tell them by files in a directory.
 */
final class PsCluster implements AutoCloseable {
  private static final long START_SECONDS = 60;
  private static final int OVERHEAD_BYTES = 4096;
  private static final long SESSION_KEY = 0x5EED;
  private static final Epoch EPOCH = new Epoch(1, 1);
  private static final ObjectMapper JSON = new ObjectMapper();

  /** What servers are told. */
  record Start(JobSpec job, PlacementMap map, boolean hugePages) {}

  private final LinkFactory links;
  private final List<AutoCloseable> servers = new ArrayList<>();
  private SyntheticWorker worker;

  private PsCluster(LinkFactory links) {
    this.links = links;
  }

  /**
   * Starts servers and worker.
   *
   * @param directory empty
   */
  static PsCluster start(
      JobSpec job, LinkKind link, boolean hugePages, Path directory, List<LookupPlan> plans)
      throws IOException, InterruptedException {
    PsCluster cluster = new PsCluster(links(link, "", job.messageBytesMax() + OVERHEAD_BYTES));
    try {
      List<Member> members = new ArrayList<>();
      for (int i = 0; i < job.servers(); i++) {
        String endpoint = cluster.links.endpoint();
        if (link != LinkKind.MEMORY) {
          cluster.servers.add(startProcess(i, link, cluster.links, job, directory));
          endpoint = Files.readString(await(directory.resolve("endpoint-" + i)));
        }
        members.add(new Member(NodeId.server(i), 100 + i, endpoint));
      }
      Member self = new Member(NodeId.worker(0), 99, cluster.links.endpoint());
      members.add(self);
      PlacementMap map = new PlacementMap(EPOCH, SESSION_KEY, members);
      if (link == LinkKind.MEMORY) {
        for (int i = 0; i < job.servers(); i++) {
          CountDownLatch ready = new CountDownLatch(1);
          cluster.servers.add(startThread(i, new Start(job, map, hugePages), cluster.links, ready));
          if (!ready.await(START_SECONDS, TimeUnit.SECONDS)) {
            throw new IllegalStateException("server-" + i + " did not start");
          }
        }
      } else {
        write(directory.resolve("start"), JSON.writeValueAsString(new Start(job, map, hugePages)));
        for (int i = 0; i < job.servers(); i++) {
          await(directory.resolve("ready-" + i));
        }
      }
      cluster.worker = new SyntheticWorker(self, job, map, cluster.links.open(self.node()), plans);
      return cluster;
    } catch (IOException | InterruptedException | RuntimeException e) {
      cluster.close();
      throw e;
    }
  }

  private static LinkFactory links(LinkKind link, String driverDirectory, int frameBytes) {
    return switch (link) {
      case MEMORY -> new InMemoryNetwork();
      case IPC ->
          new AeronLinks(
              (driverDirectory.isEmpty()
                      ? AeronSettings.ipc()
                      : AeronSettings.ipcClient(driverDirectory))
                  .withFramesOf(frameBytes));
      case UDP -> new AeronLinks(AeronSettings.udp("127.0.0.1", 0).withFramesOf(frameBytes));
    };
  }

  private static AutoCloseable startThread(
      int index, Start start, LinkFactory links, CountDownLatch ready) {
    ServerAgent agent = agent(index, start, links, ready::countDown);
    AgentRunner runner = new AgentRunner(agent.idleStrategy(), e -> {}, null, agent);
    AgentRunner.startOnThread(runner);
    return () -> {
      agent.wakeUp();
      runner.close();
    };
  }

  private static ServerAgent agent(int index, Start start, LinkFactory links, Runnable ready) {
    NodeId self = NodeId.server(index);
    return new ServerAgent(
        new ServerControl.StartServer(self, start.job(), start.map()),
        100 + index,
        links.endpoint(),
        links.open(self),
        new MemorySettings(start.hugePages()),
        SystemNanoClock.INSTANCE,
        message -> {
          if (message instanceof ServerControl.ServerReady) {
            ready.run();
          }
        },
        Throwable::printStackTrace);
  }

  private static ChildJvm startProcess(
      int index, LinkKind link, LinkFactory links, JobSpec job, Path directory) throws IOException {
    String driver = link == LinkKind.IPC ? ((AeronLinks) links).directory().toString() : "";
    return ChildJvm.start(
        "server-" + index,
        List.of("-Xmx256m"),
        ServerProcess.class,
        List.of(
            directory.toString(),
            "" + index,
            link.name(),
            "" + (job.messageBytesMax() + OVERHEAD_BYTES),
            driver),
        Map.of(),
        System.err::println);
  }

  /** A server's process. Arguments: directory, index, link, longest frame, driver's directory. */
  static final class ServerProcess {
    private ServerProcess() {}

    public static void main(String[] arguments) throws Exception {
      ParentWatch.start(order -> {});
      Path directory = Path.of(arguments[0]);
      int index = Integer.parseInt(arguments[1]);
      String driver = arguments.length > 4 ? arguments[4] : "";
      try (LinkFactory links =
          links(LinkKind.valueOf(arguments[2]), driver, Integer.parseInt(arguments[3]))) {
        write(directory.resolve("endpoint-" + index), links.endpoint());
        Start start = JSON.readValue(await(directory.resolve("start")).toFile(), Start.class);
        ServerAgent agent =
            agent(index, start, links, () -> write(directory.resolve("ready-" + index), ""));
        // Until the parent ends this process.
        new AgentRunner(agent.idleStrategy(), e -> {}, null, agent).run();
      }
    }
  }

  private static void write(Path file, String text) {
    try {
      Path temporary = Files.createTempFile(file.getParent(), "incomplete", "");
      Files.writeString(temporary, text);
      Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private static Path await(Path file) throws InterruptedException {
    long start = System.nanoTime();
    while (!Files.exists(file)) {
      if (System.nanoTime() - start > TimeUnit.SECONDS.toNanos(START_SECONDS)) {
        throw new IllegalStateException("a server did not start: no " + file);
      }
      TimeUnit.MILLISECONDS.sleep(5);
    }
    return file;
  }

  SyntheticWorker worker() {
    return worker;
  }

  @Override
  public void close() {
    if (worker != null) {
      worker.close();
    }
    for (AutoCloseable server : servers) {
      try {
        server.close();
      } catch (Exception e) {
        throw new IllegalStateException("a server cannot be stopped", e);
      }
    }
    links.close();
  }
}
