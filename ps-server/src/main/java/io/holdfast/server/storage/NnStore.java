package io.holdfast.server.storage;

import io.holdfast.config.model.NnLayout;
import io.holdfast.config.model.OptimizerSpec;
import io.holdfast.config.model.ParameterInit;
import io.holdfast.config.placement.Backups;
import io.holdfast.config.placement.Epoch;
import io.holdfast.config.placement.NnShards;
import io.holdfast.config.protocol.RefusalReason;
import io.holdfast.config.protocol.ShardVersion;
import io.holdfast.server.optimizer.Optimizer;
import java.lang.foreign.MemorySegment;
import java.util.zip.CRC32;
import java.util.zip.CRC32C;

/**
 * The NN shards whose primary is this server, and copies of those whose backup it is, {@code
 * [weights | optimizer state]} each. A copy gets the same gradients in the same order through the
 * same kernels, so it is the same, bit for bit (hazard 15). One thread at a time.
 */
public final class NnStore implements AutoCloseable {
  private static final long ALIGNMENT_BYTES = 64;

  private final NnShards shards;
  private final Optimizer optimizer;
  private final OptimizerSpec spec;
  private final MappedMemory memory;

  private final int server;

  /** By shard; null where this server is neither primary nor backup. */
  private final Shard[] here;

  private final long replicaBytes;

  private static final class Shard {
    final MemorySegment weights;
    final MemorySegment all;
    boolean primary;
    Epoch primaryEpoch;
    long updates;

    Shard(MemorySegment all, long weightBytes, boolean primary, Epoch primaryEpoch) {
      this.all = all;
      this.primary = primary;
      this.weights = all.asSlice(0, weightBytes);
      this.primaryEpoch = primaryEpoch;
    }
  }

  /**
   * Allocates and initialises the server's shards.
   *
   * @param rowSpec the job's optimizer; NN shards take {@link OptimizerSpec#forNn} of it
   * @param replicas backups of each shard
   * @param primaryEpoch since when primaries are primaries
   */
  public NnStore(
      NnLayout layout,
      NnShards shards,
      OptimizerSpec rowSpec,
      int server,
      int replicas,
      Epoch primaryEpoch,
      ParameterInit init,
      MemorySettings settings) {
    this.shards = shards;
    spec = rowSpec.forNn();
    optimizer = Optimizer.of(spec);
    this.server = server;
    here = new Shard[shards.count()];
    long bytes = 0;
    long own = 0;
    for (int shard = 0; shard < here.length; shard++) {
      bytes += isHere(shard, replicas) ? alignedBytes(shard) : 0;
      own += shards.primary(shard) == server ? alignedBytes(shard) : 0;
    }
    replicaBytes = bytes - own;
    memory =
        MappedMemory.zeroed(
            "the NN shards of server " + server, Math.max(bytes, ALIGNMENT_BYTES), settings);
    memory.touch(0, Math.max(bytes, 1));
    long at = 0;
    for (int shard = 0; shard < here.length; shard++) {
      if (isHere(shard, replicas)) {
        int length = shards.length(shard);
        MemorySegment all = memory.segment().asSlice(at, exportBytes(shard));
        here[shard] = new Shard(all, 4L * length, shards.primary(shard) == server, primaryEpoch);
        init.nn(layout, shards.from(shard), length, here[shard].weights);
        optimizer.initialState(all, 0, length);
        at += alignedBytes(shard);
      }
    }
  }

  private boolean isHere(int shard, int replicas) {
    int primary = shards.primary(shard);
    return primary == server || Backups.isBackup(server, primary, replicas, shards.servers());
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
   * Applies a gradient that the primary has applied to the copy that is kept here.
   *
   * @param primary who says so
   * @param version that the shard has after it
   * @throws RefusedException MALFORMED or NOT_OWNER if no copy of the sender's shard is here, or
   *     the gradient has another length
   * @throws IllegalStateException if it is not the next one: primary and copy differ
   */
  public void applyToReplica(
      int primary, int shard, ShardVersion version, MemorySegment gradients, float learningRate)
      throws RefusedException {
    Shard copy = findReplica(primary, shard);
    if (gradients.byteSize() != 4L * shards.length(shard)) {
      throw new RefusedException(
          RefusalReason.MALFORMED,
          gradients.byteSize() + " bytes of gradients for NN shard " + shard);
    }
    if (version.counter() != copy.updates + 1) {
      throw new IllegalStateException(
          "update %d of NN shard %d follows update %d here: one is lost or was sent twice"
              .formatted(version.counter(), shard, copy.updates));
    }
    optimizer.update(
        copy.all, 0, shards.length(shard), gradients, 0, learningRate, copy.updates + 1);
    copy.updates++;
    copy.primaryEpoch = version.primaryEpoch();
  }

  /** Version of the copy of a primary's shard that is kept here. */
  public ShardVersion replicaVersion(int primary, int shard) throws RefusedException {
    Shard copy = findReplica(primary, shard);
    return new ShardVersion(copy.primaryEpoch, copy.updates);
  }

  /** The copy of a primary's shard that is kept here, {@code [weights | state]} in place. */
  public MemorySegment replica(int primary, int shard) throws RefusedException {
    return findReplica(primary, shard).all;
  }

  /**
   * Becomes the primary of another server's shards, as far as copies are here.
   *
   * @param epoch since when
   */
  public void promote(int lostPrimary, Epoch epoch) {
    for (int shard = 0; shard < here.length; shard++) {
      if (hasReplica(shard) && shards.primary(shard) == lostPrimary) {
        here[shard].primary = true;
        here[shard].primaryEpoch = epoch;
      }
    }
  }

  /** Is a backup again of another server's shards, which has taken them back as they are here. */
  public void demote(int primary) {
    for (int shard = 0; shard < here.length; shard++) {
      if (here[shard] != null && shards.primary(shard) == primary && primary != server) {
        here[shard].primary = false;
      }
    }
  }

  /**
   * Takes a shard as another server has it, own or as a copy.
   *
   * @throws RefusedException MALFORMED or NOT_OWNER if there is no such shard here, or its length
   *     is another
   */
  public void install(int shard, ShardVersion version, MemorySegment values)
      throws RefusedException {
    if (shard < 0 || shard >= here.length || values.byteSize() != exportBytes(shard)) {
      throw new RefusedException(
          RefusalReason.MALFORMED,
          "NN shard " + shard + " of " + here.length + " with " + values.byteSize() + " bytes");
    }
    if (here[shard] == null) {
      throw new RefusedException(
          RefusalReason.NOT_OWNER, "neither NN shard " + shard + " nor a copy of it is here");
    }
    here[shard].all.copyFrom(values);
    here[shard].updates = version.counter();
    here[shard].primaryEpoch = version.primaryEpoch();
  }

  /** As primary of own shards that another one had for a while: versions are new (hazard 14). */
  public void begin(Epoch epoch) {
    for (Shard shard : here) {
      if (shard != null && shard.primary) {
        shard.primaryEpoch = epoch;
      }
    }
  }

  private Shard findReplica(int primary, int shard) throws RefusedException {
    if (shard < 0 || shard >= here.length) {
      throw new RefusedException(
          RefusalReason.MALFORMED, "NN shard " + shard + " of " + here.length);
    }
    if (here[shard] == null || here[shard].primary || shards.primary(shard) != primary) {
      throw new RefusedException(
          RefusalReason.NOT_OWNER, "no copy of server-" + primary + "'s NN shard " + shard);
    }
    return here[shard];
  }

  /** Whether a copy of an NN shard is kept here, for another primary. */
  public boolean hasReplica(int shard) {
    return here[shard] != null && !here[shard].primary;
  }

  /** 64 bits over a shard's {@code [weights | state]}: CRC-32C above CRC-32. */
  public static long digest(MemorySegment all) {
    CRC32C castagnoli = new CRC32C();
    castagnoli.update(all.asByteBuffer());
    CRC32 ethernet = new CRC32();
    ethernet.update(all.asByteBuffer());
    return castagnoli.getValue() << 32 | ethernet.getValue();
  }

  /**
   * Takes a shard of a saved model, in the form of an export.
   *
   * @return whether it was this server's, or a copy is kept here
   * @throws IllegalArgumentException if the shard does not exist or its length is another
   */
  public boolean importShard(int shard, long updates, MemorySegment values) {
    if (shard < 0
        || shard >= here.length
        || values.byteSize() != exportBytes(shard)
        || updates < 0) {
      throw new IllegalArgumentException(
          "NN shard "
              + shard
              + " of "
              + here.length
              + " with "
              + updates
              + " updates and "
              + values.byteSize()
              + " bytes");
    }
    Shard found = here[shard];
    if (found == null) {
      return false;
    }
    found.all.copyFrom(values);
    found.updates = updates;
    return true;
  }

  private Shard find(int shard) throws RefusedException {
    if (shard < 0 || shard >= here.length) {
      throw new RefusedException(
          RefusalReason.MALFORMED, "NN shard " + shard + " of " + here.length);
    }
    if (here[shard] == null || !here[shard].primary) {
      throw new RefusedException(
          RefusalReason.NOT_OWNER, "NN shard " + shard + " has another primary");
    }
    return here[shard];
  }

  /** Memory that the own shards take. */
  public long touchedBytes() {
    return memory.touchedBytes() - replicaBytes;
  }

  /** Memory that copies of other servers' shards take. */
  public long replicaBytes() {
    return replicaBytes;
  }

  @Override
  public void close() {
    memory.close();
  }
}
