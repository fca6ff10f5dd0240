package io.holdfast.config.protocol;

import io.holdfast.config.placement.Epoch;

/**
 * Version of an NN shard: the epoch in which its primary took it over, and the updates since the
 * start. Only compared for equality: after a failover the same counter may mean other values
 * (hazard 14).
 */
public record ShardVersion(Epoch primaryEpoch, long counter) {
  /** A worker that has nothing yet. */
  public static final ShardVersion NONE = new ShardVersion(Epoch.NONE, -1);
}
