package io.holdfast.system.sim;

import io.holdfast.config.job.JobSpec;
import io.holdfast.config.model.NnLayout;
import io.holdfast.config.model.ParameterInit;
import io.holdfast.config.model.RowLayout;
import io.holdfast.config.placement.NnShards;
import io.holdfast.server.optimizer.Optimizer;
import io.holdfast.worker.SteppedWorker.Made;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/**
 * What rows and NN shards must be: the workers' gradients, applied to initial values by the real
 * optimizers in a given order, in plain arrays. One thread at a time.
 */
final class Reference {
  private final JobSpec job;
  private final SimModel model;
  private final RowLayout layout;
  private final NnShards shards;
  private final ParameterInit init;
  private final Optimizer rowOptimizer;
  private final Optimizer nnOptimizer;
  private final long[] tableOffsets;

  Reference(JobSpec job, SimModel model) {
    this.job = job;
    this.model = model;
    layout = job.rowLayout();
    shards = job.nnShards();
    init = new ParameterInit(job.seed());
    rowOptimizer = Optimizer.of(job.optimizer());
    nnOptimizer = Optimizer.of(job.optimizer().forNn());
    tableOffsets = job.model().tableOffsets();
  }

  /** {@code [weights | state]} of a row before its first update. */
  byte[] initialRow(long row) {
    return model.exact() ? new byte[layout.rowBytes()] : baseRow(row);
  }

  /** What parities are kept over: what has changed since this. */
  byte[] baseRow(long row) {
    byte[] bytes = new byte[layout.rowBytes()];
    MemorySegment segment = MemorySegment.ofArray(bytes);
    int table = 0;
    while (row >= tableOffsets[table + 1]) {
      table++;
    }
    float scale = ParameterInit.embeddingScale(job.model().tables().get(table).rows());
    init.row(row, scale, layout.dim(), segment, 0);
    rowOptimizer.initialState(segment, 0, layout.dim());
    return bytes;
  }

  /** The row's update counter before its first update. */
  int initialCounter() {
    return model.exact() ? SimModel.FIRST_COUNTER : 0;
  }

  /**
   * {@code [weights | state]} of a row after each of its updates, the initial bytes first.
   *
   * @param updates transactions that touch the row, in their order
   */
  List<byte[]> row(long row, Collection<Made> updates) {
    List<byte[]> states = new ArrayList<>();
    byte[] now = initialRow(row);
    states.add(now.clone());
    MemorySegment segment = MemorySegment.ofArray(now);
    long counter = initialCounter();
    for (Made made : updates) {
      int at = made.rows().indexOf(row);
      long gradientAt = (long) at * layout.weightBytes();
      counter++;
      rowOptimizer.update(
          segment, 0, layout.dim(), made.gradients(), gradientAt, made.learningRate(), counter);
      states.add(now.clone());
    }
    return states;
  }

  /** {@code [weights | state]} of an NN shard before its first update. */
  byte[] initialShard(int shard) {
    int length = shards.length(shard);
    byte[] bytes = new byte[4 * (length + job.optimizer().forNn().kind().stateFloats(length))];
    if (!model.exact()) {
      MemorySegment segment = MemorySegment.ofArray(bytes);
      init.nn(
          NnLayout.of(job.model()), shards.from(shard), length, segment.asSlice(0, 4L * length));
      nnOptimizer.initialState(segment, 0, length);
    }
    return bytes;
  }

  /** {@code [weights | state]} of an NN shard after updates. */
  List<byte[]> shard(int shard, Collection<Made> updates) {
    List<byte[]> states = new ArrayList<>();
    byte[] now = initialShard(shard);
    states.add(now.clone());
    MemorySegment segment = MemorySegment.ofArray(now);
    long counter = 0;
    for (Made made : updates) {
      counter++;
      nnOptimizer.update(
          segment,
          0,
          shards.length(shard),
          made.nnGradients(),
          4L * shards.from(shard),
          made.learningRate(),
          counter);
      states.add(now.clone());
    }
    return states;
  }

  /** A row for people. */
  static String text(byte[] row) {
    MemorySegment segment = MemorySegment.ofArray(row);
    StringBuilder text = new StringBuilder("[");
    for (int at = 0; at < row.length && at < 64; at += 4) {
      text.append(at == 0 ? "" : " ").append(segment.get(ValueLayout.JAVA_FLOAT_UNALIGNED, at));
    }
    return text.append(row.length > 64 ? " ...]" : "]").toString();
  }
}
