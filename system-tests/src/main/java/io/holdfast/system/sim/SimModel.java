package io.holdfast.system.sim;

import io.holdfast.config.job.JobSpec;
import io.holdfast.config.model.ParameterInit;
import io.holdfast.server.ServerCore;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * What is trained: synthetic lines, and gradients that are made up instead of computed.
 *
 * <p>In an exact model all parameters begin at 0 and gradients are small integers that depend on
 * who computes them, so that with SGD and a learning rate of 1 every parameter is an integer and
 * sums do not depend on their order. Otherwise parameters begin as always and gradients depend on
 * what was pulled, so that any other order gives other bytes.
 *
 * @param linesSeed what the lines are
 * @param badLines share of lines that are bad
 */
record SimModel(JobSpec job, long linesSeed, double badLines, boolean exact) {
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

  /** Update counter of a row that an exact model begins with: imported rows have one. */
  static final int FIRST_COUNTER = 1;

  boolean isGood(int file, long position) {
    // A job without a single good line is another test's.
    return position == 0 || (hash(linesSeed, file, position) >>> 11) * 0x1p-53 >= badLines;
  }

  boolean line(int file, long position, int[] ids) {
    for (int table = 0; table < ids.length; table++) {
      long mixed = hash(linesSeed + 1 + table, file, position);
      ids[table] = (int) Long.remainderUnsigned(mixed, job.model().tables().get(table).rows());
    }
    return isGood(file, position);
  }

  private static long hash(long a, long b, long c) {
    return ParameterInit.mix(ParameterInit.mix(ParameterInit.mix(a) + b) + c);
  }

  /** An exact model's gradient of one float: {@code 1..16}, so that none goes unnoticed. */
  static int gradient(long incarnation, long step, long parameter) {
    return 1 + (int) (hash(incarnation, step, parameter) & 15);
  }

  /** Number of a row's float, and of an NN parameter, for {@link #gradient}. */
  long rowFloat(long row, int i) {
    return row * job.model().dim() + i;
  }

  static long nnFloat(int parameter) {
    return -1L - parameter;
  }

  void initialise(ServerCore core) {
    if (!exact) {
      return;
    }
    int rows = (int) job.model().totalRows();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment ids = arena.allocate(8L * rows);
      MemorySegment counters = arena.allocate(4L * rows);
      for (int row = 0; row < rows; row++) {
        ids.set(ValueLayout.JAVA_LONG_UNALIGNED, 8L * row, row);
        counters.set(ValueLayout.JAVA_INT_UNALIGNED, 4L * row, FIRST_COUNTER);
      }
      MemorySegment zeros = arena.allocate((long) rows * core.rows().layout().rowBytes());
      core.importRows(ids, counters, zeros, rows);
      for (int shard = 0; shard < job.nnShards().count(); shard++) {
        core.nn().importShard(shard, 0, arena.allocate(core.nn().exportBytes(shard)));
      }
    }
  }

  void compute(
      int worker,
      long incarnation,
      long step,
      long[] rows,
      int unique,
      MemorySegment rowValues,
      MemorySegment parameters,
      MemorySegment parameterGradients) {
    int dim = job.model().dim();
    long who = exact ? incarnation : worker;
    for (int i = 0; i < unique; i++) {
      for (int d = 0; d < dim; d++) {
        long at = 4 * ((long) i * dim + d);
        rowValues.set(
            FLOAT, at, gradient(who, step, rowFloat(rows[i], d), rowValues.get(FLOAT, at)));
      }
    }
    int count = (int) (parameters.byteSize() / Float.BYTES);
    for (int p = 0; p < count; p++) {
      long at = 4L * p;
      parameterGradients.set(FLOAT, at, gradient(who, step, nnFloat(p), parameters.get(FLOAT, at)));
    }
  }

  private float gradient(long who, long step, long parameter, float pulled) {
    int made = gradient(who, step, parameter);
    if (exact) {
      BrokenInvariant.require(
          (int) pulled == pulled, Oracle.ROWS, () -> "no integer was pulled: " + pulled);
      return made;
    }
    return 0.25f * pulled + 0.01f * made;
  }
}
