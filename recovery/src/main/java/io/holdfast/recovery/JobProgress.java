package io.holdfast.recovery;

import io.holdfast.config.placement.NodeId;
import java.util.List;

/**
 * How far a job is, as workers report it: an estimate, unlike the outcome's totals.
 *
 * @param phase where it is
 * @param servers registered
 * @param workers alive
 * @param lost servers that died and for which others act: what they owned has no copies
 * @param replacing the server whose place a new process takes now, null if none does
 * @param samples applied
 * @param iterations applied
 * @param loss mean over the samples since each worker's last report, NaN if there is none
 * @param auc mean of the workers' streaming estimates, NaN if there is none
 */
public record JobProgress(
    JobPhase phase,
    int servers,
    int workers,
    List<NodeId> lost,
    Replacing replacing,
    long samples,
    long iterations,
    double loss,
    double auc) {
  /**
   * A lost server's share on its way to a new process.
   *
   * @param server whose place it takes
   * @param share of what is to be copied, 0 to 1, about
   * @param bytes copied so far
   */
  public record Replacing(NodeId server, double share, long bytes) {}

  public JobProgress {
    lost = List.copyOf(lost);
  }
}
