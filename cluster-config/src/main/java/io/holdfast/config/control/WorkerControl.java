package io.holdfast.config.control;

import io.holdfast.config.job.JobSpec;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.placement.PlacementMap;
import java.util.Map;

/** Between the coordinator and a worker. */
public final class WorkerControl {
  private WorkerControl() {}

  /** To a worker: begin. */
  public record StartWorker(NodeId self, JobSpec job, PlacementMap map) implements ControlMessage {}

  /** To a worker: a newer map, sent after all servers adopted it. */
  public record WorkerEpoch(PlacementMap map) implements ControlMessage {}

  /**
   * From a worker: give me data. Answered by {@link LeaseGranted} or {@link NoMoreData}, perhaps
   * only after others have returned what they cannot finish. Repeated until it is answered.
   *
   * @param request counts from 1; a repetition keeps its number, so that it gets the same lease
   */
  public record RequestLease(NodeId worker, long incarnation, long request)
      implements ControlMessage {}

  /**
   * A stretch of data that one worker trains.
   *
   * @param id unique within the job
   * @param pass over the data, from 0
   * @param file index in the job's files
   * @param from first position
   * @param to position behind the last
   * @param maxBatches the worker returns the rest after so many batches
   */
  public record Lease(long id, int pass, int file, long from, long to, long maxBatches) {}

  /** To a worker. One that does not answer its open request is an echo: ignored. */
  public record LeaseGranted(long request, Lease lease) implements ControlMessage {}

  /** To a worker: finish what you have and say {@link WorkerFinished}. */
  public record NoMoreData() implements ControlMessage {}

  /**
   * From a worker: all batches of a lease are applied everywhere. Repeated until {@link
   * LeaseClosed} answers. Their data ranges tile the lease from its first position to {@code
   * position}. If fewer batches were trained than the lease allowed, no good line is left behind
   * {@code position}.
   *
   * @param position behind the last batch's range, at most the lease's end; the lease's first
   *     position if there was no batch
   * @param batches trained
   * @param samples trained
   * @param skipped bad lines behind {@code position}; those before it are in the batches' ranges
   */
  public record LeaseDone(
      NodeId worker,
      long incarnation,
      long lease,
      long position,
      long batches,
      long samples,
      long skipped)
      implements ControlMessage {}

  /** To a worker: its {@link LeaseDone} is known. */
  public record LeaseClosed(long lease) implements ControlMessage {}

  /** From a worker that is about to start a step (not in async jobs). */
  public record StepStart(NodeId worker, long incarnation, long step) implements ControlMessage {}

  /** To a worker: it may. */
  public record StepOpened(long step) implements ControlMessage {}

  /** From a worker whose transaction is staged everywhere (deterministic jobs). */
  public record StepReady(NodeId worker, long incarnation, long step) implements ControlMessage {}

  /** To a worker: your turn to commit. */
  public record CommitGranted(long step) implements ControlMessage {}

  /** From a worker whose step is applied everywhere. */
  public record StepDone(NodeId worker, long incarnation, long step) implements ControlMessage {}

  /**
   * From a worker, every second or so.
   *
   * @param samples applied so far
   * @param iterations applied so far
   * @param loss mean over the samples since the last report
   * @param auc streaming estimate, NaN if there is none
   */
  public record WorkerProgress(
      NodeId worker, long incarnation, long samples, long iterations, double loss, double auc)
      implements ControlMessage {}

  /**
   * From a worker: an iteration was applied everywhere, the first since it took this epoch's map.
   * Tells how long a failure held training up; not repeated.
   *
   * @param epoch {@link io.holdfast.config.placement.Epoch#packed}
   */
  public record EpochCommitted(NodeId worker, long incarnation, long epoch)
      implements ControlMessage {}

  /**
   * From a worker that has nothing left to do.
   *
   * @param phaseNanos where its time went, by phase
   * @param bytes by kind: {@code pull}, {@code push}
   */
  public record WorkerFinished(
      NodeId worker,
      long incarnation,
      long samples,
      long iterations,
      Map<String, Long> phaseNanos,
      Map<String, Long> bytes)
      implements ControlMessage {}

  /**
   * From a worker that cannot go on.
   *
   * @param kind what sort of failure: {@code data}, {@code numeric}, {@code internal}
   */
  public record WorkerFailed(NodeId worker, long incarnation, String kind, String reason)
      implements ControlMessage {}
}
