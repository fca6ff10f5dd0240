package io.holdfast.config.placement;

/**
 * One process in a placement map. A restarted process is another member: same node, other
 * incarnation (hazard 1).
 *
 * @param node role and index
 * @param incarnation drawn at random when the process starts
 * @param endpoint {@code host:port} of its data link; empty where all share one host's links
 */
public record Member(NodeId node, long incarnation, String endpoint) {}
