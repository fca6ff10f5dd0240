package io.holdfast.launcher.job;

import io.holdfast.config.control.JobControl.ProcessEnded;
import io.holdfast.config.job.JobSpec;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.transport.AeronLinks;
import io.holdfast.config.transport.LinkFactory;
import io.holdfast.launcher.Main;
import io.holdfast.launcher.control.ClusterMember;
import io.holdfast.launcher.process.ChildJvm;
import io.holdfast.launcher.report.Fault;
import io.holdfast.server.storage.MemorySettings;
import java.io.IOException;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;

/** The servers and workers that a training command starts by itself: actors or child processes. */
final class Nodes implements AutoCloseable {
  private final List<ChildJvm> children = new ArrayList<>();
  private final List<Fault> faults = new CopyOnWriteArrayList<>();
  private final ClusterMember control;
  private final TrainingWatch watch;
  private volatile boolean closing;

  private Nodes(ClusterMember control, TrainingWatch watch) {
    this.control = control;
    this.watch = watch;
  }

  static Nodes start(
      TrainRequest request,
      JobSpec job,
      ClusterMember control,
      LinkFactory links,
      SecureRandom random,
      TrainingWatch watch)
      throws IOException {
    Nodes nodes = new Nodes(control, watch);
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
            List.of("-Xmx" + request.launch().childHeapBytes()),
            Main.class,
            NodeArguments.of(node, request, control.address(), driverDirectory),
            Map.of(),
            System.err::println);
    children.add(child);
    CompletableFuture<Void> unusedEnd =
        child
            .onExit()
            .thenAccept(
                status -> {
                  // A node that has nothing left to do ends by itself, with status 0.
                  if (!closing && status != 0) {
                    String cause = "its process " + child.pid() + " ended with status " + status;
                    faults.add(
                        new Fault(
                            node.role() == NodeId.Role.WORKER ? "worker-died" : "server-died",
                            node.toString(),
                            watch.secondsSinceStart()));
                    control.tell(new ProcessEnded(node, child.pid(), cause));
                  }
                });
  }

  /** Processes that died before they were asked to end. */
  List<Fault> faults() {
    return List.copyOf(faults);
  }

  /** Tells all nodes, also those that others started, that the job is over; ends the own ones. */
  @Override
  public void close() {
    closing = true;
    control.stopJob("the job is over");
    children.forEach(ChildJvm::close);
  }
}
