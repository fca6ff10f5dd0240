package io.holdfast.worker;

import io.holdfast.config.control.ControlMessage;
import io.holdfast.config.control.WorkerControl.Lease;
import io.holdfast.config.job.JobSpec;
import io.holdfast.config.job.StandIns;
import io.holdfast.config.placement.Member;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.placement.PlacementMap;
import io.holdfast.config.protocol.DataMessage;
import io.holdfast.config.protocol.DataRange;
import io.holdfast.config.protocol.Outbox;
import io.holdfast.config.protocol.TxId;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The real worker's state machine for the cluster simulator. Reading and computing are the
 * simulator's; here so that nothing of the worker has to be public for it.
 */
public final class SteppedWorker implements AutoCloseable {
  /**
   * A transaction as its worker made it.
   *
   * @param step of its worker
   * @param rows ids without repetition
   * @param gradients {@code [rows, dim]} floats
   * @param nnGradients one float for each NN parameter
   */
  public record Made(
      TxId tx,
      long step,
      float learningRate,
      List<Long> rows,
      MemorySegment gradients,
      MemorySegment nnGradients,
      DataRange range) {}

  /** All that is not the state machine. */
  public interface Surroundings extends Outbox {
    long nowNanos();

    void control(ControlMessage message);

    /** Runs a task of another thread some time later, on the worker's thread. */
    void later(Runnable task);

    /** Fills in a line's row in each table; false if it is a bad line. */
    boolean line(int file, long position, int[] ids);

    /**
     * A batch's gradients.
     *
     * @param rows their ids; {@code unique} of them
     * @param rowValues {@code [unique, dim]}, weights to be replaced by gradients
     */
    void compute(
        long step,
        long[] rows,
        int unique,
        MemorySegment rowValues,
        MemorySegment parameters,
        MemorySegment parameterGradients);

    /** A transaction has its number. */
    void made(Made made);

    /** The worker saw a transaction applied everywhere. */
    void acknowledged(TxId tx);

    void failed(FailureKind kind, String reason);

    void finished();
  }

  private final Surroundings surroundings;
  private final JobSpec job;
  private final WorkerCore core;
  private final Map<TxId, Iteration> open = new HashMap<>();
  private final Map<Long, Long> positions = new HashMap<>();

  public SteppedWorker(Member self, JobSpec job, PlacementMap map, Surroundings surroundings) {
    this.surroundings = surroundings;
    this.job = job;
    this.core = new WorkerCore(self, job, StandIns.of(job, map), new Effects());
  }

  public void start(long nowNanos) {
    core.start(nowNanos);
  }

  public void onMessage(NodeId from, DataMessage message, long nowNanos) {
    core.onMessage(from, message, nowNanos);
    if (message instanceof DataMessage.Applied applied) {
      Iteration iteration = open.get(applied.tx());
      if (iteration != null && iteration.push == null) {
        open.remove(applied.tx());
        surroundings.acknowledged(applied.tx());
      }
    }
  }

  public void onControl(ControlMessage message, long nowNanos) {
    core.onControl(message, nowNanos);
  }

  public void onEpoch(PlacementMap map, long nowNanos) {
    core.onEpoch(StandIns.of(job, map), nowNanos);
  }

  public void tick(long nowNanos) {
    core.tick(nowNanos);
  }

  public long samples() {
    return core.samples();
  }

  public long iterations() {
    return core.iterationsApplied();
  }

  @Override
  public void close() {
    core.close();
  }

  /** As {@link BatchPreparer}, line by line. */
  private DataRange prepare(Iteration iteration, Lease lease) {
    int tables = job.model().tables().size();
    long from = positions.getOrDefault(lease.id(), lease.from());
    List<int[]> good = new ArrayList<>();
    int skipped = 0;
    long at = from;
    while (at < lease.to() && good.size() < job.batch()) {
      int[] ids = new int[tables];
      if (surroundings.line(lease.file(), at, ids)) {
        good.add(ids);
      } else {
        skipped++;
      }
      at++;
    }
    positions.put(lease.id(), at);
    if (!good.isEmpty()) {
      int[] flat = good.stream().flatMapToInt(Arrays::stream).toArray();
      iteration.plan.build(flat, tables, good.size());
      iteration.planned();
    }
    return new DataRange(lease.pass(), lease.file(), from, at, good.size(), skipped);
  }

  private static MemorySegment copy(MemorySegment values) {
    return MemorySegment.ofArray(values.toArray(ValueLayout.JAVA_BYTE)).asReadOnly();
  }

  private final class Effects implements WorkerEffects {
    @Override
    public void send(NodeId to, DataMessage message) {
      surroundings.send(to, message);
    }

    @Override
    public void control(ControlMessage message) {
      surroundings.control(message);
    }

    @Override
    public void read(Iteration iteration, LeaseTracker lease) {
      surroundings.later(
          () -> core.onRead(iteration, prepare(iteration, lease.lease), surroundings.nowNanos()));
    }

    @Override
    public void compute(Iteration iteration) {
      surroundings.later(
          () -> {
            int unique = iteration.plan.unique();
            surroundings.compute(
                iteration.step,
                iteration.plan.rows(),
                unique,
                iteration.rowValues(),
                iteration.parameters,
                iteration.parameterGradients);
            core.onComputed(iteration, 0.5, surroundings.nowNanos());
            open.put(iteration.tx, iteration);
            long gradientBytes = (long) unique * job.model().dim() * Float.BYTES;
            surroundings.made(
                new Made(
                    iteration.tx,
                    iteration.step,
                    iteration.learningRate,
                    Arrays.stream(iteration.plan.rows(), 0, unique).boxed().toList(),
                    copy(iteration.rowValues().asSlice(0, gradientBytes)),
                    copy(iteration.parameterGradients),
                    iteration.range));
          });
    }

    @Override
    public void fail(FailureKind kind, String reason) {
      surroundings.failed(kind, reason);
    }

    @Override
    public void finished() {
      surroundings.finished();
    }
  }
}
