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
import java.util.function.IntConsumer;

/** The servers and workers that a training command starts by itself: actors or child processes. */
final class Nodes implements Processes, AutoCloseable {
  private final Map<NodeId, ChildJvm> children = new ConcurrentHashMap<>();
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
  }

  private void startChild(
      NodeId node, TrainRequest request, ClusterMember control, LinkFactory links)
      throws IOException {
    Optional<String> driverDirectory =
        switch (request.link()) {
          case IPC -> Optional.of(((AeronLinks) links).directory().toString());
          case UDP -> Optional.empty();
          case MEMORY ->
              throw new IllegalArgumentException(
                  "transport.link = memory does not reach other processes; use ipc or udp");
        };
    ChildJvm child =
        ChildJvm.start(
            node.toString(),
            flags(request),
            Main.class,
            NodeArguments.of(node, request, control.address(), driverDirectory),
            Map.of(),
            this::said);
    children.put(node, child);
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
                  }
                });
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
  }
}
