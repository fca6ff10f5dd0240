package io.holdfast.config.placement;

import com.fasterxml.jackson.annotation.JsonIgnore;

/**
 * One process in a placement map. A restarted process is another member: same node, other
 * incarnation (hazard 1).
 *
 * @param node role and index
 * @param incarnation drawn at random when the process starts
 * @param endpoint {@code host:port} of its data link; empty where all share one host's links
 * @param copyingSince of a server that takes a lost one's place: the {@link Epoch#packed} epoch in
 *     which it began to copy what the lost one had; it owns nothing yet. 0: it has its share
 */
public record Member(NodeId node, long incarnation, String endpoint, long copyingSince) {
  /** A process that has its share. */
  public Member(NodeId node, long incarnation, String endpoint) {
    this(node, incarnation, endpoint, 0);
  }

  /** Whether it copies a lost server's share and owns nothing yet. */
  @JsonIgnore
  public boolean isCopying() {
    return copyingSince != 0;
  }
}
