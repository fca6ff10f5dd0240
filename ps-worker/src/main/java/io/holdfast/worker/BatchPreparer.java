package io.holdfast.worker;

import io.holdfast.config.job.JobSpec;
import io.holdfast.config.protocol.DataRange;
import io.holdfast.criteo.CriteoBatch;
import io.holdfast.criteo.CriteoFormat;
import io.holdfast.criteo.SampleReader;
import java.util.concurrent.atomic.LongAdder;

/** Reads the next batch of a lease and plans its lookups. Works on the preparer's thread. */
final class BatchPreparer implements AutoCloseable {
  private final WorkerData data;
  private final CriteoBatch batch;
  private final int denseFeatures;
  private LeaseTracker current;
  private SampleReader reader;
  private long position;
  private long skipped;
  private final LongAdder readNanos = new LongAdder();

  BatchPreparer(JobSpec job, WorkerData data) {
    this.data = data;
    this.batch = new CriteoBatch(job.batch());
    this.denseFeatures = job.model().denseFeatures();
    if (denseFeatures != CriteoFormat.INTEGERS) {
      throw new IllegalArgumentException(
          "the bottom MLP reads "
              + denseFeatures
              + " features, the data has "
              + CriteoFormat.INTEGERS);
    }
  }

  /**
   * Fills an iteration with the lease's next batch.
   *
   * @return what was read; no samples if only bad lines were left
   */
  DataRange prepare(Iteration iteration, LeaseTracker lease) {
    long start = System.nanoTime();
    if (lease != current) {
      open(lease);
    }
    int samples = reader.read(batch);
    boolean end = samples < batch.capacity();
    long to = end ? lease.lease.to() : Math.min(reader.position(), lease.lease.to());
    int nowSkipped = (int) (reader.badLines() - skipped);
    DataRange range =
        new DataRange(lease.lease.pass(), lease.lease.file(), position, to, samples, nowSkipped);
    skipped = reader.badLines();
    position = to;
    if (samples > 0) {
      System.arraycopy(batch.labels(), 0, iteration.labels, 0, samples);
      System.arraycopy(batch.dense(), 0, iteration.dense, 0, samples * denseFeatures);
      iteration.plan.build(batch.ids(), CriteoFormat.CATEGORIES, samples);
      iteration.planned();
    }
    readNanos.add(System.nanoTime() - start);
    return range;
  }

  private void open(LeaseTracker lease) {
    if (reader != null) {
      reader.close();
    }
    current = lease;
    position = lease.lease.from();
    skipped = 0;
    reader = data.reader(lease.lease.file(), position, lease.lease.to());
  }

  /** Time spent reading and planning. */
  long readNanos() {
    return readNanos.sum();
  }

  @Override
  public void close() {
    if (reader != null) {
      reader.close();
    }
    data.close();
  }
}
