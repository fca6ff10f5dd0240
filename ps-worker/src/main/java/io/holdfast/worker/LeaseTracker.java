package io.holdfast.worker;

import io.holdfast.config.control.WorkerControl.Lease;

/** How far a lease has been read and applied. */
final class LeaseTracker {
  final Lease lease;

  /** Behind the last batch that was read. */
  private long position;

  private long batchesRead;
  private long batchesApplied;
  private long samples;
  private long skippedBehind;
  private boolean exhausted;

  LeaseTracker(Lease lease) {
    this.lease = lease;
    this.position = lease.from();
    this.exhausted = lease.from() >= lease.to() || lease.maxBatches() < 1;
  }

  long position() {
    return position;
  }

  long batches() {
    return batchesApplied;
  }

  long samples() {
    return samples;
  }

  /** Bad lines behind the last batch. */
  long skippedBehind() {
    return skippedBehind;
  }

  boolean exhausted() {
    return exhausted;
  }

  /**
   * A batch was read; {@code count} is 0 if no good line was left. Bad lines of a batch are told
   * with its range, those behind the last batch with the lease.
   */
  void read(int count, long nextPosition, int skippedLines) {
    if (count > 0) {
      batchesRead++;
      position = nextPosition;
    } else {
      skippedBehind += skippedLines;
    }
    exhausted = count == 0 || nextPosition >= lease.to() || batchesRead >= lease.maxBatches();
  }

  void applied(int count) {
    batchesApplied++;
    samples += count;
  }

  /** True once every batch is applied everywhere and none is left. */
  boolean done() {
    return exhausted && batchesApplied == batchesRead;
  }
}
