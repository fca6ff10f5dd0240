package io.holdfast.launcher.job;

import io.holdfast.config.job.JobSpec;
import io.holdfast.config.settings.LaunchSettings;
import io.holdfast.config.settings.LinkKind;
import io.holdfast.config.settings.SettingsException;
import io.holdfast.config.settings.TransportSettings;
import io.holdfast.config.transport.AeronLinks;
import io.holdfast.config.transport.AeronSettings;
import io.holdfast.config.transport.InMemoryNetwork;
import io.holdfast.config.transport.LinkFactory;
import java.util.List;
import java.util.Optional;

/** Opens the data links of this process as the settings say. */
final class Links {
  /** What a message has besides its values; an envelope, a header, participants. */
  private static final int OVERHEAD_BYTES = 4096;

  private Links() {}

  /**
   * Links for a job.
   *
   * @throws SettingsException if the job's messages do not fit the links' frames
   */
  static LinkFactory open(LaunchSettings launch, LinkKind kind, JobSpec job) {
    if (kind == LinkKind.MEMORY) {
      return new InMemoryNetwork();
    }
    AeronSettings settings = launch.transport().aeron(kind, launch.cluster().host());
    int stateVectors = job.optimizer().forNn().kind().stateFloats(1);
    long shardBytes = (1L + stateVectors) * job.nnShardFloats() * Float.BYTES + OVERHEAD_BYTES;
    long longest = Math.max(shardBytes, job.messageBytesMax() + OVERHEAD_BYTES);
    if (longest > settings.maxFrameBytes()) {
      throw new SettingsException(
          List.of(
              "messages of up to "
                  + longest
                  + " bytes (message.bytes.max = "
                  + job.messageBytesMax()
                  + ", nn.shard.floats = "
                  + job.nnShardFloats()
                  + " with their optimizer state) do not"
                  + " fit frames of "
                  + settings.maxFrameBytes()
                  + " bytes: raise transport.term.bytes (a frame is an eighth of it) or lower"
                  + " them"));
    }
    return new AeronLinks(settings);
  }

  /** How processes that the job did not start open links to its servers. */
  static TransportSettings reachedFromOutside(TrainRequest request, LinkFactory links) {
    TransportSettings own = request.launch().transport();
    boolean ipc = request.link() == LinkKind.IPC;
    return new TransportSettings(
        Optional.of(request.link()),
        ipc,
        ipc ? Optional.of(((AeronLinks) links).directory().toString()) : Optional.empty(),
        0,
        own.termBytes(),
        own.mtuBytes(),
        own.windowBytes());
  }

  /** Links for a node whose job comes from the coordinator. */
  static LinkFactory open(LaunchSettings launch, LinkKind kind) {
    return kind == LinkKind.MEMORY
        ? new InMemoryNetwork()
        : new AeronLinks(launch.transport().aeron(kind, launch.cluster().host()));
  }
}
