package io.holdfast.server.scrub;

import io.holdfast.config.protocol.ShardVersion;
import java.lang.foreign.MemorySegment;

/** The copies of NN shards that a server keeps for others. */
public interface KeptShards {
  /** Whether the server keeps a copy of a shard whose primary is another one. */
  boolean isKept(int shard);

  /** What a copy holds. */
  ShardVersion version(int shard);

  /** {@code [weights | state]} of a copy, in place. */
  MemorySegment values(int shard);
}
