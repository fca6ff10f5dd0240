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
    long samples,
    long iterations,
    double loss,
    double auc) {
  public JobProgress {
    lost = List.copyOf(lost);
  }
}
