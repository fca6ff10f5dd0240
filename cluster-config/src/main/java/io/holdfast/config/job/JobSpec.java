package io.holdfast.config.job;

import com.fasterxml.jackson.annotation.JsonIgnore;
import io.holdfast.config.model.ModelSpec;
import io.holdfast.config.model.NnLayout;
import io.holdfast.config.model.OptimizerSpec;
import io.holdfast.config.model.RowLayout;
import io.holdfast.config.placement.NnShards;
import io.holdfast.config.placement.StripeMap;

/**
 * Everything that all processes of a job must agree on. The coordinator has it from the settings
 * and hands it to every server and worker.
 *
 * @param model the model's shape
 * @param optimizer for rows; {@link OptimizerSpec#forNn} for NN shards
 * @param learningRate over the job's iterations
 * @param seed of initial values
 * @param servers number of servers
 * @param workers number of workers
 * @param redundancy of rows and NN shards
 * @param commit how an iteration becomes part of the model
 * @param nnShardFloats length of an NN shard
 * @param batch samples of an iteration
 * @param sync how far workers may run apart
 * @param staleness for {@link SyncMode#BOUNDED}
 * @param deterministic same seed, same bytes: fixed order of commits and of data
 * @param window iterations that a worker may have in flight, the computing one included
 * @param denseEngine {@code nd4j} or {@code dl4j}
 * @param denseThreads BLAS threads of a worker
 * @param stagedBytesMax memory of a server for staged parts
 * @param retryNanos a worker repeats what was not answered for so long
 * @param messageBytesMax longest message; larger pulls and stages are cut
 * @param data what is read
 */
public record JobSpec(
    ModelSpec model,
    OptimizerSpec optimizer,
    LearningRate learningRate,
    long seed,
    int servers,
    int workers,
    Redundancy redundancy,
    CommitMode commit,
    int nnShardFloats,
    int batch,
    SyncMode sync,
    int staleness,
    boolean deterministic,
    int window,
    String denseEngine,
    int denseThreads,
    long stagedBytesMax,
    long retryNanos,
    int messageBytesMax,
    DataSpec data) {

  public JobSpec {
    if (servers < 1 || workers < 1 || batch < 1 || window < 1 || denseThreads < 1) {
      throw new IllegalArgumentException(
          servers
              + " servers, "
              + workers
              + " workers, batch "
              + batch
              + ", window "
              + window
              + ", "
              + denseThreads
              + " threads: all must be at least 1");
    }
    if (deterministic && (sync != SyncMode.SYNC || window != 1)) {
      throw new IllegalArgumentException("a deterministic job is synchronous with window 1");
    }
    if (deterministic && commit == CommitMode.ONE_PHASE) {
      throw new IllegalArgumentException("a deterministic job commits in two phases");
    }
  }

  /** The same job over other data, or over this data once it is measured. */
  public JobSpec withData(DataSpec other) {
    return new JobSpec(
        model,
        optimizer,
        learningRate,
        seed,
        servers,
        workers,
        redundancy,
        commit,
        nnShardFloats,
        batch,
        sync,
        staleness,
        deterministic,
        window,
        denseEngine,
        denseThreads,
        stagedBytesMax,
        retryNanos,
        messageBytesMax,
        other);
  }

  @JsonIgnore
  public StripeMap stripeMap() {
    return StripeMap.of(servers, redundancy.k(), redundancy.r(), model.totalRows());
  }

  @JsonIgnore
  public NnShards nnShards() {
    return new NnShards(NnLayout.of(model).parameters(), nnShardFloats, servers);
  }

  @JsonIgnore
  public RowLayout rowLayout() {
    return RowLayout.of(model, optimizer);
  }
}
