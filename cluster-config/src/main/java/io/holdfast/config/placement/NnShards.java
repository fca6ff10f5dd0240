package io.holdfast.config.placement;

/**
 * How the NN's flat parameter vector is cut into shards, and which server is each shard's primary.
 *
 * @param parameters floats of the whole vector
 * @param shardFloats floats of a shard; the last one may be shorter
 * @param servers number of servers
 */
public record NnShards(int parameters, int shardFloats, int servers) {
  public NnShards {
    if (parameters < 1 || shardFloats < 1 || servers < 1) {
      throw new IllegalArgumentException(
          parameters + " parameters in shards of " + shardFloats + " on " + servers + " servers");
    }
  }

  /** Number of shards. */
  public int count() {
    return (parameters - 1) / shardFloats + 1;
  }

  /** First parameter of a shard. */
  public int from(int shard) {
    return shard * shardFloats;
  }

  /** Floats of a shard. */
  public int length(int shard) {
    return Math.min(shardFloats, parameters - from(shard));
  }

  /** The server that applies a shard's gradients. */
  public int primary(int shard) {
    return shard % servers;
  }
}
