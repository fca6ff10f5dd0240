package io.holdfast.recovery;

import io.holdfast.config.control.Register;
import io.holdfast.config.placement.Epoch;
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

  /** Not in maps: it takes a lost server's place and is not ready for that. */
  private boolean preparing;

  /** As in {@link Member}. */
  private long copyingSince;

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

  /** As it is to be in the next map. */
  Member member() {
    return copyingSince == 0
        ? member
        : new Member(member.node(), member.incarnation(), member.endpoint(), copyingSince);
  }

  /** It allocates memory, and is nobody until then. */
  void prepare() {
    preparing = true;
  }

  /** Whether maps name it. */
  boolean isNamed() {
    return !preparing;
  }

  /** It takes a lost server's place, from the beginning. */
  void copySince(Epoch epoch) {
    preparing = false;
    copyingSince = epoch.packed();
  }

  /** It has its share. */
  void own() {
    copyingSince = 0;
  }

  /** Since which epoch it copies; 0 if it does not. */
  long copyingSince() {
    return copyingSince;
  }

  /** Whether it is a server with its share, or no server at all. */
  boolean isOwner() {
    return !preparing && copyingSince == 0;
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
