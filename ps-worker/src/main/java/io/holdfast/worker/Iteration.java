package io.holdfast.worker;

import io.holdfast.config.job.JobSpec;
import io.holdfast.config.placement.NnShards;
import io.holdfast.config.protocol.DataRange;
import io.holdfast.config.protocol.ShardVersion;
import io.holdfast.config.protocol.TxId;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * One iteration from the reading of its batch to its last acknowledgement, with its buffers. There
 * are {@code window + 1} of them, used again and again.
 *
 * <pre>
 *   EMPTY -> READING -> READ -> OPENING -> PULLING -> READY -> COMPUTING -> STAGING -> COMMITTING -> EMPTY
 *               |                 (only if steps are gated)        STAGING waits for its turn in deterministic jobs
 *               +-> EMPTY (the lease had no line left)
 * </pre>
 *
 * <p>Buffers pass from thread to thread with the state: the preparer's while READING, the dense
 * thread's while COMPUTING, the agent's otherwise.
 */
final class Iteration implements AutoCloseable {
  enum State {
    EMPTY,
    READING,
    READ,
    OPENING,
    PULLING,
    READY,
    COMPUTING,
    STAGING,
    COMMITTING
  }

  /** Buffers get an eighth more than a batch needs, since the next ones differ a little. */
  private static final int ROOM_DIVISOR = 8;

  final int slot;

  /** Of the batch; its own one's content, or a plan that was made before. */
  LookupPlan plan;

  final float[] labels;
  final float[] dense;

  /** Pulled NN parameters, flat, and the version of each shard that they hold. */
  final MemorySegment parameters;

  final ShardVersion[] versions;

  /** Gradients of the NN parameters, flat. */
  final MemorySegment parameterGradients;

  private final Arena nnArena = Arena.ofShared();
  private Arena rowArena = Arena.ofShared();
  private MemorySegment rowIds = MemorySegment.NULL;
  private MemorySegment rowValues = MemorySegment.NULL;
  private final int rowBytes;

  private State state = State.EMPTY;

  /** Counts the worker's iterations from 1. */
  long step;

  TxId tx;
  LeaseTracker lease;
  DataRange range;
  float learningRate;
  double loss;
  RowPull pull;
  Push push;
  long startedNanos;

  /** When the coordinator was last told of this step. */
  long saidNanos;

  Iteration(int slot, JobSpec job, LookupPlan plan, NnShards shards) {
    this.slot = slot;
    this.plan = plan;
    this.labels = new float[job.batch()];
    this.dense = new float[job.batch() * job.model().denseFeatures()];
    this.parameters = nnArena.allocate((long) shards.parameters() * Float.BYTES, 64);
    this.parameterGradients = nnArena.allocate((long) shards.parameters() * Float.BYTES, 64);
    this.versions = new ShardVersion[shards.count()];
    Arrays.fill(versions, ShardVersion.NONE);
    this.rowBytes = job.model().dim() * Float.BYTES;
  }

  State state() {
    return state;
  }

  void become(State next) {
    boolean legal =
        switch (next) {
          case EMPTY -> state == State.READING || state == State.COMMITTING;
          case READING -> state == State.EMPTY;
          case READ -> state == State.READING;
          case OPENING -> state == State.READ;
          case PULLING -> state == State.READ || state == State.OPENING;
          case READY -> state == State.PULLING;
          case COMPUTING -> state == State.READY;
          case STAGING -> state == State.COMPUTING;
          case COMMITTING -> state == State.STAGING;
        };
    if (!legal) {
      throw new IllegalStateException("iteration " + step + ": " + state + " to " + next);
    }
    state = next;
  }

  /** Takes the plan's rows into native memory; called once the plan is built. */
  void planned() {
    long count = plan.unique();
    if (rowIds.byteSize() < count * Long.BYTES) {
      rowArena.close();
      rowArena = Arena.ofShared();
      long rows = count + count / ROOM_DIVISOR + 1;
      rowIds = rowArena.allocate(rows * Long.BYTES, 64);
      rowValues = rowArena.allocate(rows * rowBytes, 64);
    }
    MemorySegment.copy(
        plan.rows(), 0, rowIds, java.lang.foreign.ValueLayout.JAVA_LONG, 0, (int) count);
  }

  /** Ids of the plan's rows: int64, grouped by server. */
  MemorySegment rowIds() {
    return rowIds;
  }

  /**
   * {@code [unique, dim]}: the pulled weights until the gradients are computed, then the gradients.
   */
  MemorySegment rowValues() {
    return rowValues;
  }

  @Override
  public void close() {
    nnArena.close();
    rowArena.close();
  }
}
