package io.holdfast.config.control;

import io.holdfast.config.job.JobSpec;
import io.holdfast.config.placement.Epoch;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.placement.PlacementMap;
import io.holdfast.config.protocol.DataRange;
import java.util.List;

/** Between the coordinator and a server. */
public final class ServerControl {
  private ServerControl() {}

  /** To a server: allocate your share and begin to serve. Answered by {@link ServerReady}. */
  public record StartServer(NodeId self, JobSpec job, PlacementMap map) implements ControlMessage {}

  /** From a server. */
  public record ServerReady(NodeId server, long tableBytes) implements ControlMessage {}

  /** From a server: it cannot go on, and why. */
  public record ServerFailed(NodeId server, long incarnation, String reason)
      implements ControlMessage {}

  /** To a server: a newer map. Answered by {@link EpochAdopted}, also when it is known already. */
  public record AdoptEpoch(PlacementMap map) implements ControlMessage {}

  /** From a server. */
  public record EpochAdopted(NodeId server, Epoch epoch) implements ControlMessage {}

  /**
   * To a server, after it adopted an epoch without this worker: what do you know of the worker's
   * transactions? The answer is a promise to refuse the worker from now on (hazard 5).
   */
  public record QueryWorker(NodeId worker, long incarnation) implements ControlMessage {}

  /**
   * From a server.
   *
   * @param watermark the highest that was seen
   * @param decided sequences above the watermark that were committed here
   * @param undecided sequences that were staged here, wholly or partly, without a decision
   */
  public record WorkerTransactions(
      NodeId server,
      NodeId worker,
      long incarnation,
      long watermark,
      List<Long> decided,
      List<Long> undecided)
      implements ControlMessage {}

  /** To a server: commit these of the dead worker's transactions, drop all others. Repeatable. */
  public record ResolveWorker(NodeId worker, long incarnation, List<Long> committed)
      implements ControlMessage {}

  /** From a server. */
  public record WorkerResolved(NodeId server, NodeId worker, long incarnation)
      implements ControlMessage {}

  /**
   * To a server: which data is committed?
   *
   * @param query comes back in the answer, so that an older answer is not taken for this one
   */
  public record QueryRanges(long query) implements ControlMessage {}

  /** From a server: ranges that it recorded, neighbours merged, sums kept. */
  public record CommittedRanges(NodeId server, long query, List<RangeRecord> ranges)
      implements ControlMessage {}

  /**
   * Committed data.
   *
   * @param range positions, samples and skipped lines
   * @param iterations how many transactions
   */
  public record RangeRecord(DataRange range, long iterations) {}

  /**
   * To the servers: whoever acts for a lost server stops, and sends the last of what it has of it
   * to the process that takes its place. Repeated until that has all; no effect if the map names
   * another process there.
   *
   * @param incarnation of the process that takes its place
   */
  public record HandOver(NodeId lost, long incarnation) implements ControlMessage {}

  /** To a server that takes a lost one's place: answer with {@link CopyProgress}. */
  public record QueryCopy() implements ControlMessage {}

  /**
   * From a server that takes a lost one's place.
   *
   * @param since the epoch, {@code Epoch.packed}, in which it began
   * @param state how far it is
   * @param share of what is to be copied, 0 to 1, about
   * @param bytes copied so far
   */
  public record CopyProgress(
      NodeId server, long incarnation, long since, CopyState state, double share, long bytes)
      implements ControlMessage {}

  /** How far a server is that takes a lost one's place. */
  public enum CopyState {
    /** What others have is on its way. */
    COPYING,
    /** Everything is here and follows all changes; others act for the lost server still. */
    COPIED,
    /** Nobody acts for the lost server any more, and all of it is here. */
    TAKEN_OVER
  }

  /** To a server: answer with {@link ServerStatistics}. */
  public record QueryStatistics() implements ControlMessage {}

  /**
   * From a server.
   *
   * @param tableBytes memory that row and NN storage has touched
   * @param redundancyBytes of it, for parities and replicas
   * @param stagedBytesPeak most memory that staged parts took
   * @param transactions applied here
   * @param rowsUpdated over all transactions
   * @param framesRefused malformed, wrong key, fenced or stale
   * @param redundancy what redundancy cost and found
   */
  public record ServerStatistics(
      NodeId server,
      long tableBytes,
      long redundancyBytes,
      long stagedBytesPeak,
      long transactions,
      long rowsUpdated,
      long framesRefused,
      RedundancyStatistics redundancy)
      implements ControlMessage {}
}
