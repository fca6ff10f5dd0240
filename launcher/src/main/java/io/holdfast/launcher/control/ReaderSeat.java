package io.holdfast.launcher.control;

import io.holdfast.config.placement.Member;
import io.holdfast.config.placement.PlacementMap;
import io.holdfast.worker.ClusterReader.JobOverException;

/** A reader's place in the cluster, kept up to date by its actor. Safe for threads. */
public final class ReaderSeat {
  private final Member self;
  private volatile PlacementMap map;
  private volatile String overBecause;

  ReaderSeat(Member self, PlacementMap map) {
    this.self = self;
    this.map = map;
  }

  public Member self() {
    return self;
  }

  /**
   * The newest map.
   *
   * @throws JobOverException if the job has ended
   */
  public PlacementMap map() {
    if (overBecause != null) {
      throw new JobOverException(overBecause);
    }
    return map;
  }

  void moved(PlacementMap newer) {
    map = newer;
  }

  void over(String reason) {
    overBecause = reason;
  }
}
