package io.holdfast.launcher.cli;

import io.holdfast.config.placement.NodeId;
import io.holdfast.launcher.job.NodeJob;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code holdfast server}. */
@Command(
    name = "server",
    mixinStandardHelpOptions = true,
    description = "Serve a share of a model's parameters to a job of many hosts.")
public final class ServerCommand implements Callable<Integer> {
  private final NodeJob job;

  @Mixin private CommonOptions common;
  @Mixin private SettingOptions settingOptions;
  @Mixin MemberOptions member;
  @Mixin private NodeOptions node;

  public ServerCommand(NodeJob job) {
    this.job = job;
  }

  @Override
  public Integer call() throws Exception {
    job.run(node.request(NodeId.Role.SERVER, common, settingOptions));
    return ExitCode.DONE;
  }
}
