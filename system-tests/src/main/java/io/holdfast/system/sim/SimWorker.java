package io.holdfast.system.sim;

import io.holdfast.config.control.ControlMessage;
import io.holdfast.config.control.JobControl;
import io.holdfast.config.control.Register;
import io.holdfast.config.control.WorkerControl;
import io.holdfast.config.placement.Member;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.protocol.DataMessage;
import io.holdfast.config.protocol.TxId;
import io.holdfast.config.transport.Endpoint;
import io.holdfast.worker.FailureKind;
import io.holdfast.worker.SteppedWorker;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Map;

/** The real worker core behind the real endpoint, driven as its agent and actor drive it. */
final class SimWorker extends SimProcess implements SteppedWorker.Surroundings {
  private final int preferred;
  private Endpoint endpoint;
  private SteppedWorker core;
  private NodeId self;
  private ControlMessage lastWord;
  private long ticks;

  SimWorker(SimCluster cluster, long incarnation, int preferred) {
    super(cluster, incarnation);
    this.preferred = preferred;
    register();
  }

  NodeId self() {
    return self;
  }

  private void register() {
    tell(new Register(NodeId.Role.WORKER, preferred, incarnation, "", incarnation, null));
  }

  @Override
  void poll() {
    if (endpoint != null) {
      endpoint.drain();
      endpoint.poll(
          (from, message) -> {
            logFrame(from, message);
            core.onMessage(from, message, nowNanos());
          },
          Integer.MAX_VALUE);
    }
  }

  @Override
  void onTick() {
    ticks++;
    if (ticks % 8 == 0) {
      register();
      if (lastWord != null) {
        tell(lastWord);
      }
    }
    if (core != null) {
      core.tick(nowNanos());
      if (ticks % 8 == 4) {
        tell(
            new WorkerControl.WorkerProgress(
                self, incarnation, core.samples(), core.iterations(), 0.5, Double.NaN));
      }
    }
  }

  @Override
  void onControl(ControlMessage message) {
    switch (message) {
      case JobControl.Registered registered -> self = registered.node();
      case JobControl.RegistrationRefused refused -> die();
      case JobControl.Stop stop -> die();
      case WorkerControl.StartWorker start -> {
        if (core == null) {
          start(start);
        }
      }
      case WorkerControl.WorkerEpoch epoch -> {
        if (endpoint != null && endpoint.adopt(epoch.map())) {
          core.onEpoch(epoch.map(), nowNanos());
        }
      }
      default -> {
        if (core != null) {
          core.onControl(message, nowNanos());
        }
      }
    }
  }

  private void start(WorkerControl.StartWorker start) {
    self = start.self();
    Member member = new Member(self, incarnation, "");
    endpoint = new Endpoint(member, cluster.network.open(self, incarnation, this::wake));
    endpoint.adopt(start.map());
    core = new SteppedWorker(member, start.job(), start.map(), this);
    core.start(nowNanos());
  }

  private void tell(ControlMessage message) {
    cluster.toCoordinator(this, true, message);
  }

  @Override
  public long nowNanos() {
    return cluster.schedule.nowNanos();
  }

  @Override
  public void send(NodeId to, DataMessage message) {
    if (message instanceof DataMessage.Commit commit) {
      if (!cluster.history.isDecided(commit.tx())) {
        log(() -> "decides to commit " + commit.tx());
      }
      cluster.history.decided(commit.tx());
    }
    cluster.seams.workerSends(this, to, message, endpoint);
  }

  @Override
  public void control(ControlMessage message) {
    tell(message);
  }

  @Override
  public void later(Runnable task) {
    cluster.schedule.in(1 + cluster.schedule.draw(cluster.workNanos()), () -> run(task));
  }

  @Override
  public boolean line(int file, long position, int[] ids) {
    return cluster.model().line(file, position, ids);
  }

  @Override
  public void compute(
      long step,
      long[] rows,
      int unique,
      MemorySegment rowValues,
      MemorySegment parameters,
      MemorySegment parameterGradients) {
    cluster
        .model()
        .compute(
            self.index(),
            incarnation,
            step,
            rows,
            unique,
            rowValues,
            parameters,
            parameterGradients);
    cluster.seams.computed(this, Arrays.copyOf(rows, unique), rowValues, parameterGradients);
  }

  @Override
  public void made(SteppedWorker.Made made) {
    log(() -> "made " + made.tx() + " of rows " + made.rows() + " in step " + made.step());
    cluster.history.made(made);
  }

  @Override
  public void acknowledged(TxId tx) {
    log(() -> "saw " + tx + " applied everywhere");
    cluster.history.acknowledged(tx);
  }

  @Override
  public void failed(FailureKind kind, String reason) {
    lastWord = new WorkerControl.WorkerFailed(self, incarnation, kind.word(), reason);
    tell(lastWord);
  }

  @Override
  public void finished() {
    lastWord =
        new WorkerControl.WorkerFinished(
            self, incarnation, core.samples(), core.iterations(), Map.of(), Map.of());
    tell(lastWord);
  }

  @Override
  public void close() {
    if (core != null) {
      core.close();
      endpoint.close();
    }
  }

  @Override
  public String toString() {
    return (self == null ? "worker" : self) + "/" + incarnation;
  }
}
