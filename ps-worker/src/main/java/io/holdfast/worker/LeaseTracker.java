package io.holdfast.worker;

import io.holdfast.config.control.WorkerControl.Lease;

/** How far a lease has been read and applied. */
final class LeaseTracker {
  final Lease lease;

  /** Where the next batch begins. */
  private long position;

  private long batchesRead;
  private long batchesApplied;
  private long samples;
  private long skipped;
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

  long skipped() {
    return skipped;
  }

  boolean exhausted() {
    return exhausted;
  }

  /** A batch was read; {@code count} is 0 if only bad lines were left. */
  void read(int count, long nextPosition, int skippedLines) {
    position = nextPosition;
    skipped += skippedLines;
    if (count > 0) {
      batchesRead++;
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
