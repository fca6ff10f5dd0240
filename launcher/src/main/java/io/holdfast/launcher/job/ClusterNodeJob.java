package io.holdfast.launcher.job;

import io.holdfast.config.fault.FaultPoints;
import io.holdfast.config.fault.ProcessFaults;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.settings.LinkKind;
import io.holdfast.config.transport.FaultyLinks;
import io.holdfast.config.transport.LinkFactory;
import io.holdfast.launcher.control.ClusterMember;
import io.holdfast.server.storage.MemorySettings;
import java.security.SecureRandom;
import java.util.concurrent.CompletableFuture;

/** A server or worker in a process of its own. */
public final class ClusterNodeJob implements NodeJob {
  @Override
  public void run(NodeRequest request) throws InterruptedException {
    LinkKind link = request.launch().transport().linkOr(LinkKind.UDP);
    long incarnation = new SecureRandom().nextLong();
    int index = request.index().orElse(-1);
    boolean server = request.role() == NodeId.Role.SERVER;
    try (LinkFactory links = links(request, link);
        ClusterMember control =
            ClusterMember.start(
                request.launch().cluster(),
                server ? ClusterMember.Part.SERVER : ClusterMember.Part.WORKER)) {
      CompletableFuture<Void> stopped =
          server
              ? control.startServer(
                  links, index, incarnation, new MemorySettings(request.launch().hugePages()))
              : control.startWorker(links, index, incarnation);
      control.awaitAny(stopped);
      if (control.wasExpelled()) {
        throw new TrainingFailedException(
            "this process was silent for so long (stopped, or cut off) that the others declared it"
                + " dead and went on without it; nothing that it does counts any more, so it ends");
      }
    }
  }

  private static LinkFactory links(NodeRequest request, LinkKind kind) {
    LinkFactory links = Links.open(request.launch(), kind);
    return FaultPoints.ON ? new FaultyLinks(links, ProcessFaults.links()) : links;
  }
}
