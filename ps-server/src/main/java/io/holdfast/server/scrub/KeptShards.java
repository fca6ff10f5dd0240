package io.holdfast.server.scrub;

import io.holdfast.config.protocol.ShardVersion;

/** The copies of NN shards that a server keeps for others. */
public interface KeptShards {
  /** Whether the server keeps a copy of a shard whose primary is another one. */
  boolean isKept(int shard);

  /** What a copy holds. */
  ShardVersion version(int shard);

  /** 64 bits over {@code [weights | state]} of a copy. */
  long digest(int shard);
}
