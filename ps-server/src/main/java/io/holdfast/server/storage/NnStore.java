package io.holdfast.server.storage;

import io.holdfast.config.model.NnLayout;
import io.holdfast.config.model.OptimizerSpec;
import io.holdfast.config.model.ParameterInit;
import io.holdfast.config.placement.Epoch;
import io.holdfast.config.placement.NnShards;
import io.holdfast.config.protocol.RefusalReason;
import io.holdfast.config.protocol.ShardVersion;
import io.holdfast.server.optimizer.Optimizer;
import java.lang.foreign.MemorySegment;

/**
 * The NN shards whose primary is this server, {@code [weights | optimizer state]} each. One thread
 * at a time.
 */
public final class NnStore implements AutoCloseable {
  private static final long ALIGNMENT_BYTES = 64;

  private final NnShards shards;
  private final Optimizer optimizer;
  private final OptimizerSpec spec;
  private final MappedMemory memory;

  /** By shard; null where another server is the primary. */
  private final Shard[] own;

  private static final class Shard {
    final MemorySegment weights;
    final MemorySegment all;
    final Epoch primaryEpoch;
    long updates;

    Shard(MemorySegment all, long weightBytes, Epoch primaryEpoch) {
      this.all = all;
      this.weights = all.asSlice(0, weightBytes);
      this.primaryEpoch = primaryEpoch;
    }
  }

  /**
   * Allocates and initialises the server's shards.
   *
   * @param rowSpec the job's optimizer; NN shards take {@link OptimizerSpec#forNn} of it
   * @param primaryEpoch since when this server is the primary
   */
  public NnStore(
      NnLayout layout,
      NnShards shards,
      OptimizerSpec rowSpec,
      int server,
      Epoch primaryEpoch,
      ParameterInit init,
      MemorySettings settings) {
    this.shards = shards;
    spec = rowSpec.forNn();
    optimizer = Optimizer.of(spec);
    own = new Shard[shards.count()];
    long bytes = 0;
    for (int shard = 0; shard < own.length; shard++) {
      bytes += shards.primary(shard) == server ? alignedBytes(shard) : 0;
    }
    memory =
        MappedMemory.zeroed(
            "the NN shards of server " + server, Math.max(bytes, ALIGNMENT_BYTES), settings);
    memory.touch(0, Math.max(bytes, 1));
    long at = 0;
    for (int shard = 0; shard < own.length; shard++) {
      if (shards.primary(shard) == server) {
        int length = shards.length(shard);
        MemorySegment all = memory.segment().asSlice(at, exportBytes(shard));
        own[shard] = new Shard(all, 4L * length, primaryEpoch);
        init.nn(layout, shards.from(shard), length, own[shard].weights);
        optimizer.initialState(all, 0, length);
        at += alignedBytes(shard);
      }
    }
  }

  private long alignedBytes(int shard) {
    return (exportBytes(shard) + ALIGNMENT_BYTES - 1) / ALIGNMENT_BYTES * ALIGNMENT_BYTES;
  }

  /** Bytes of a shard's weights and state. */
  public long exportBytes(int shard) {
    int length = shards.length(shard);
    return 4L * (length + spec.kind().stateFloats(length));
  }

  /**
   * Floats of an own shard.
   *
   * @throws RefusedException MALFORMED if there is no such shard, NOT_OWNER if it is elsewhere
   */
  public int length(int shard) throws RefusedException {
    find(shard);
    return shards.length(shard);
  }

  public ShardVersion version(int shard) throws RefusedException {
    Shard found = find(shard);
    return new ShardVersion(found.primaryEpoch, found.updates);
  }

  /** The shard's weights in place. */
  public MemorySegment weights(int shard) throws RefusedException {
    return find(shard).weights;
  }

  /** The shard's {@code [weights | state]} in place. */
  public MemorySegment all(int shard) throws RefusedException {
    return find(shard).all;
  }

  /**
   * Applies a gradient.
   *
   * @param gradients one float for each parameter of the shard
   */
  public void apply(int shard, MemorySegment gradients, float learningRate)
      throws RefusedException {
    Shard found = find(shard);
    optimizer.update(
        found.all, 0, shards.length(shard), gradients, 0, learningRate, found.updates + 1);
    found.updates++;
  }

  /**
   * Takes a shard of a saved model, in the form of an export.
   *
   * @return whether it was this server's
   * @throws IllegalArgumentException if the shard does not exist or its length is another
   */
  public boolean importShard(int shard, long updates, MemorySegment values) {
    if (shard < 0
        || shard >= own.length
        || values.byteSize() != exportBytes(shard)
        || updates < 0) {
      throw new IllegalArgumentException(
          "NN shard "
              + shard
              + " of "
              + own.length
              + " with "
              + updates
              + " updates and "
              + values.byteSize()
              + " bytes");
    }
    Shard found = own[shard];
    if (found == null) {
      return false;
    }
    found.all.copyFrom(values);
    found.updates = updates;
    return true;
  }

  private Shard find(int shard) throws RefusedException {
    if (shard < 0 || shard >= own.length) {
      throw new RefusedException(
          RefusalReason.MALFORMED, "NN shard " + shard + " of " + own.length);
    }
    if (own[shard] == null) {
      throw new RefusedException(
          RefusalReason.NOT_OWNER, "NN shard " + shard + " has another primary");
    }
    return own[shard];
  }

  /** Memory that the shards take. */
  public long touchedBytes() {
    return memory.touchedBytes();
  }

  @Override
  public void close() {
    memory.close();
  }
}
