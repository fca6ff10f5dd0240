package io.holdfast.launcher.job;

import io.holdfast.config.placement.NodeId;
import io.holdfast.config.settings.LinkKind;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** What {@code train --processes} tells a child process on its command line. */
public final class NodeArguments {
  private NodeArguments() {}

  /**
   * Arguments of {@code holdfast} that make a child a node of a job with the same settings.
   *
   * @param node which server or worker it shall be; empty: a server on standby
   * @param request the job
   * @param seed {@code host:port} of a member of the cluster
   * @param driverDirectory of the media driver that the child shall use; empty: one of its own
   */
  public static List<String> of(
      Optional<NodeId> node, TrainRequest request, String seed, Optional<String> driverDirectory) {
    var cluster = request.launch().cluster();
    var transport = request.launch().transport();
    List<String> arguments = new ArrayList<>();
    arguments.add(
        node.map(NodeId::role).orElse(NodeId.Role.SERVER).name().toLowerCase(Locale.ROOT));
    arguments.add("--child");
    node.ifPresent(some -> arguments.addAll(List.of("--index", Integer.toString(some.index()))));
    arguments.addAll(List.of("--seed", seed));
    arguments.addAll(List.of("--host", cluster.host()));
    if (request.verbose()) {
      arguments.add("--verbose");
    }
    LinkKind link = request.link();
    set(arguments, "cluster.failure.pause", cluster.failurePauseNanos() + "ns");
    set(arguments, "cluster.join.timeout", cluster.joinTimeoutNanos() + "ns");
    set(arguments, "transport.link", link.name().toLowerCase(Locale.ROOT));
    set(arguments, "transport.driver", driverDirectory.isPresent() ? "external" : "embedded");
    set(arguments, "transport.aeron.dir", driverDirectory.orElse(""));
    set(arguments, "transport.term.bytes", Integer.toString(transport.termBytes()));
    set(arguments, "transport.mtu.bytes", Integer.toString(transport.mtuBytes()));
    set(arguments, "transport.window.bytes", Integer.toString(transport.windowBytes()));
    set(arguments, "message.bytes.max", Integer.toString(request.job().messageBytesMax()));
    set(arguments, "nn.shard.floats", Integer.toString(request.job().nnShardFloats()));
    set(arguments, "memory.huge-pages", Boolean.toString(request.launch().hugePages()));
    return List.copyOf(arguments);
  }

  private static void set(List<String> arguments, String key, String value) {
    arguments.addAll(List.of("--set", key + "=" + value));
  }
}
