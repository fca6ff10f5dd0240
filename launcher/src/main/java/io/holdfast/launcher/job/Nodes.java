package io.holdfast.launcher.job;

import io.holdfast.config.control.JobControl.ProcessEnded;
import io.holdfast.config.fault.FaultPoints;
import io.holdfast.config.job.JobSpec;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.transport.AeronLinks;
import io.holdfast.config.transport.LinkFactory;
import io.holdfast.launcher.Main;
import io.holdfast.launcher.control.ClusterMember;
import io.holdfast.launcher.fault.FaultLog;
import io.holdfast.launcher.fault.FaultOrders;
import io.holdfast.launcher.fault.Processes;
import io.holdfast.launcher.process.ChildJvm;
import io.holdfast.server.storage.MemorySettings;
import java.io.IOException;
import java.security.SecureRandom;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The servers and workers that a training command starts by itself: actors or child processes. */
final class Nodes implements Processes, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Nodes.class);

  /** A process that ends so soon after its start is likely to do so again. */
  private static final long QUICK_NANOS = TimeUnit.SECONDS.toNanos(10);

  private static final int QUICK_ENDS_MAX = 3;

  private final Map<NodeId, ChildJvm> children = new ConcurrentHashMap<>();
  private final List<ChildJvm> waiting = new CopyOnWriteArrayList<>();
  private final Map<NodeId, Integer> quickEnds = new ConcurrentHashMap<>();
  private final ClusterMember control;
  private final FaultLog log;
  private volatile IntConsumer onReached = id -> {};
  private volatile boolean closing;

  private Nodes(ClusterMember control, FaultLog log) {
    this.control = control;
    this.log = log;
  }

  static Nodes start(
      TrainRequest request,
      JobSpec job,
      ClusterMember control,
      LinkFactory links,
      SecureRandom random,
      FaultLog log)
      throws IOException {
    Nodes nodes = new Nodes(control, log);
    try {
      switch (request.mode()) {
        case ONE_PROCESS -> startActors(request, job, control, links, random);
        case PROCESSES -> nodes.startChildren(request, job, control, links);
        case HOSTS -> {
          // They come by themselves.
        }
      }
      return nodes;
    } catch (IOException | RuntimeException e) {
      nodes.close();
      throw e;
    }
  }

  private static void startActors(
      TrainRequest request,
      JobSpec job,
      ClusterMember control,
      LinkFactory links,
      SecureRandom random) {
    MemorySettings memory = new MemorySettings(request.launch().hugePages());
    for (int i = 0; i < job.servers(); i++) {
      CompletableFuture<Void> unusedEnd = control.startServer(links, i, random.nextLong(), memory);
    }
    for (int i = 0; i < request.launch().cluster().standby(); i++) {
      CompletableFuture<Void> unusedEnd = control.startServer(links, -1, random.nextLong(), memory);
    }
    for (int i = 0; i < job.workers(); i++) {
      CompletableFuture<Void> unusedEnd = control.startWorker(links, i, random.nextLong());
    }
  }

  private void startChildren(
      TrainRequest request, JobSpec job, ClusterMember control, LinkFactory links)
      throws IOException {
    for (int i = 0; i < job.servers(); i++) {
      startChild(NodeId.server(i), request, control, links);
    }
    for (int i = 0; i < job.workers(); i++) {
      startChild(NodeId.worker(i), request, control, links);
    }
    for (int i = 0; i < request.launch().cluster().standby(); i++) {
      startStandby(i, request, control, links);
    }
  }

  private void startStandby(
      int number, TrainRequest request, ClusterMember control, LinkFactory links)
      throws IOException {
    String name = "standby-" + number;
    ChildJvm child = start(name, Optional.empty(), request, control, links, this::said);
    waiting.add(child);
    CompletableFuture<Void> unusedEnd =
        child
            .onExit()
            .thenAccept(
                status -> {
                  if (!closing && status != 0) {
                    // The coordinator knows by its number whose place it had taken, if any.
                    String cause = "its process " + child.pid() + " ended with status " + status;
                    control.tell(new ProcessEnded(NodeId.server(0), child.pid(), cause));
                  }
                });
  }

  private static ChildJvm start(
      String name,
      Optional<NodeId> node,
      TrainRequest request,
      ClusterMember control,
      LinkFactory links,
      Consumer<String> said)
      throws IOException {
    Optional<String> driverDirectory =
        switch (request.link()) {
          case IPC -> Optional.of(((AeronLinks) links).directory().toString());
          case UDP -> Optional.empty();
          case MEMORY ->
              throw new IllegalArgumentException(
                  "transport.link = memory does not reach other processes; use ipc or udp");
        };
    return ChildJvm.start(
        name,
        flags(request),
        Main.class,
        NodeArguments.of(node, request, control.address(), driverDirectory),
        Map.of(),
        said);
  }

  private void startChild(
      NodeId node, TrainRequest request, ClusterMember control, LinkFactory links)
      throws IOException {
    ChildJvm child = start(node.toString(), Optional.of(node), request, control, links, this::said);
    children.put(node, child);
    long startedNanos = System.nanoTime();
    CompletableFuture<Void> unusedEnd =
        child
            .onExit()
            .thenAccept(
                status -> {
                  // A node that has nothing left to do ends by itself, with status 0.
                  if (!closing && status != 0) {
                    String cause = "its process " + child.pid() + " ended with status " + status;
                    log.ended(node, child.pid());
                    control.tell(new ProcessEnded(node, child.pid(), cause));
                    restart(node, request, control, links, System.nanoTime() - startedNanos);
                  }
                });
  }

  /** A server that can be missed is started again; one that ends at once, not for ever. */
  private void restart(
      NodeId node,
      TrainRequest request,
      ClusterMember control,
      LinkFactory links,
      long livedNanos) {
    if (node.role() != NodeId.Role.SERVER
        || !request.launch().cluster().restart()
        || !request.job().redundancy().isOn()) {
      return;
    }
    int quick = livedNanos < QUICK_NANOS ? quickEnds.merge(node, 1, Integer::sum) : 0;
    if (quick == 0) {
      quickEnds.remove(node);
    } else if (quick >= QUICK_ENDS_MAX) {
      LOG.warn("{} ended {} times soon after its start: it is not started again", node, quick);
      return;
    }
    try {
      startChild(node, request, control, links);
    } catch (IOException | RuntimeException e) {
      LOG.warn("{} could not be started again: {}", node, e.toString());
    }
  }

  private static List<String> flags(TrainRequest request) {
    String heap = "-Xmx" + request.launch().childHeapBytes();
    return request.faults().isEmpty() ? List.of(heap) : List.of(heap, FaultPoints.FLAG);
  }

  private void said(String line) {
    OptionalInt reached = FaultOrders.reached(line);
    if (reached.isPresent()) {
      onReached.accept(reached.getAsInt());
    } else {
      System.err.println(line);
    }
  }

  /**
   * Where to tell that a process is where a fault is to befall it.
   *
   * @param reached gets the fault's number; on a thread of the process's output
   */
  void onReached(IntConsumer reached) {
    onReached = reached;
  }

  @Override
  public OptionalLong pid(NodeId node) {
    ChildJvm child = children.get(node);
    return child != null && child.isAlive() ? OptionalLong.of(child.pid()) : OptionalLong.empty();
  }

  @Override
  public void order(NodeId node, String line) {
    ChildJvm child = children.get(node);
    if (child != null) {
      child.say(line);
    }
  }

  /** Tells all nodes, also those that others started, that the job is over; ends the own ones. */
  @Override
  public void close() {
    closing = true;
    control.stopJob("the job is over");
    children.values().forEach(ChildJvm::close);
    waiting.forEach(ChildJvm::close);
  }
}
