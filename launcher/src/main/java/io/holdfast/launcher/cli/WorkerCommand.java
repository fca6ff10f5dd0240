package io.holdfast.launcher.cli;

import io.holdfast.config.placement.NodeId;
import io.holdfast.launcher.job.NodeJob;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code holdfast worker}. */
@Command(
    name = "worker",
    mixinStandardHelpOptions = true,
    description = "Train a share of the data of a job of many hosts.")
public final class WorkerCommand implements Callable<Integer> {
  private final NodeJob job;

  @Mixin private CommonOptions common;
  @Mixin private SettingOptions settingOptions;
  @Mixin MemberOptions member;
  @Mixin private NodeOptions node;

  public WorkerCommand(NodeJob job) {
    this.job = job;
  }

  @Override
  public Integer call() throws Exception {
    job.run(node.request(NodeId.Role.WORKER, common, settingOptions));
    return ExitCode.DONE;
  }
}
