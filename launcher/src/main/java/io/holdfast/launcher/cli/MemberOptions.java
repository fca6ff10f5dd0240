package io.holdfast.launcher.cli;

import java.util.List;
import picocli.CommandLine.Option;

/** How a process takes part in a cluster of many hosts. */
final class MemberOptions {
  @Option(
      names = "--seed",
      paramLabel = "HOST:PORT",
      description = "A member of the cluster, for instance the coordinator. Repeatable.")
  List<String> seeds;

  @Option(
      names = "--host",
      paramLabel = "HOST",
      description = "Name or address under which the others reach this process.")
  String host;

  @Option(
      names = "--port",
      paramLabel = "PORT",
      description = "TCP port of the control plane; 0: any free one.")
  String port;
}
