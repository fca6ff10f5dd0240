package io.holdfast.config.placement;

/**
 * A node of the data plane by its role and its index within the role. Identity of a process is this
 * together with its incarnation.
 */
public record NodeId(Role role, int index) {
  /** What a node does. */
  public enum Role {
    SERVER(0),
    WORKER(1),
    /** Reads for evaluation, saving and digests; takes part in no transaction. */
    READER(2);

    private final int code;

    Role(int code) {
      this.code = code;
    }
  }

  private static final int INDEX_BITS = 24;

  public NodeId {
    if (index < 0 || index >= 1 << INDEX_BITS) {
      throw new IllegalArgumentException("node index " + index);
    }
  }

  public static NodeId server(int index) {
    return new NodeId(Role.SERVER, index);
  }

  public static NodeId worker(int index) {
    return new NodeId(Role.WORKER, index);
  }

  public static NodeId reader(int index) {
    return new NodeId(Role.READER, index);
  }

  /**
   * The node of a {@link #code}.
   *
   * @throws IllegalArgumentException if it came out of a broken frame
   */
  public static NodeId of(int code) {
    Role role =
        switch (code >>> INDEX_BITS) {
          case 0 -> Role.SERVER;
          case 1 -> Role.WORKER;
          case 2 -> Role.READER;
          default -> throw new IllegalArgumentException("no node has the code " + code);
        };
    return new NodeId(role, code & ((1 << INDEX_BITS) - 1));
  }

  /** Role and index in one int, for the wire and as a stream id. */
  public int code() {
    return (role.code << INDEX_BITS) | index;
  }

  @Override
  public String toString() {
    return role.name().toLowerCase(java.util.Locale.ROOT) + "-" + index;
  }
}
