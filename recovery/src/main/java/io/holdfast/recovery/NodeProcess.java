package io.holdfast.recovery;

import io.holdfast.config.control.Register;
import io.holdfast.config.placement.Member;
import io.holdfast.config.placement.NodeId;

/** A registered process: who it is and how far it has come. */
final class NodeProcess {
  /**
   * <pre>
   *   REGISTERED --all servers have a map with it--> STARTED --WorkerFinished--> FINISHED
   * </pre>
   */
  enum Stage {
    REGISTERED(null),
    STARTED(REGISTERED),
    FINISHED(STARTED);

    private final Stage before;

    Stage(Stage before) {
      this.before = before;
    }
  }

  private final Member member;
  private final long pid;
  private Stage stage = Stage.REGISTERED;

  /** Said anything since it was started. */
  private boolean heard;

  NodeProcess(NodeId node, Register register) {
    this.member = new Member(node, register.incarnation(), register.endpoint());
    this.pid = register.pid();
  }

  NodeId node() {
    return member.node();
  }

  long incarnation() {
    return member.incarnation();
  }

  Member member() {
    return member;
  }

  long pid() {
    return pid;
  }

  Stage stage() {
    return stage;
  }

  boolean heard() {
    return heard;
  }

  void hear() {
    heard = true;
  }

  void become(Stage next) {
    if (next.before != stage) {
      throw new IllegalStateException(member.node() + ": " + stage + " to " + next);
    }
    stage = next;
  }

  @Override
  public String toString() {
    return member.node()
        + " (process "
        + pid
        + (member.endpoint().isEmpty() ? "" : " at " + member.endpoint())
        + ")";
  }
}
