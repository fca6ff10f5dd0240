package io.holdfast.launcher.cli;

import io.holdfast.config.placement.NodeId;
import io.holdfast.config.settings.LaunchSettings;
import io.holdfast.launcher.fault.FaultOrders;
import io.holdfast.launcher.job.NodeRequest;
import io.holdfast.launcher.process.ParentWatch;
import java.util.List;
import java.util.OptionalInt;
import picocli.CommandLine.Option;

/** Options of servers and workers. */
final class NodeOptions {
  @Option(
      names = "--index",
      paramLabel = "I",
      description = "Index within its role that the process would like, from 0.")
  Integer index;

  /** Given by {@code train --processes} to its children. */
  @Option(names = "--child", hidden = true)
  boolean child;

  NodeRequest request(NodeId.Role role, CommonOptions common, SettingOptions settingOptions) {
    if (child) {
      ParentWatch.start(FaultOrders::obey);
    }
    if (index != null && index < 0) {
      throw common.badUsage("--index " + index + ": must be at least 0");
    }
    LaunchSettings launch = settingOptions.load("cluster.seeds", List.of()).launch();
    if (launch.cluster().seeds().isEmpty()) {
      throw common.badUsage("--seed is missing: name the coordinator as HOST:PORT");
    }
    return new NodeRequest(
        role, index == null ? OptionalInt.empty() : OptionalInt.of(index), launch);
  }
}
