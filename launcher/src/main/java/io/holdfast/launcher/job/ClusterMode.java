package io.holdfast.launcher.job;

import io.holdfast.config.settings.LinkKind;

/** Where the servers and workers of a job run. The same code path but for the link. */
public enum ClusterMode {
  /** All in this process. */
  ONE_PROCESS(LinkKind.MEMORY),
  /** Each in a child process on this host. */
  PROCESSES(LinkKind.IPC),
  /** Processes on any hosts, started by others, join the cluster. */
  HOSTS(LinkKind.UDP);

  private final LinkKind link;

  ClusterMode(LinkKind link) {
    this.link = link;
  }

  /** The nearest link that reaches all nodes. */
  public LinkKind link() {
    return link;
  }
}
