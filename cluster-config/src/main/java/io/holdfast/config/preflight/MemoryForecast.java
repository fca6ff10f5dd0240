package io.holdfast.config.preflight;

import io.holdfast.config.job.JobSpec;
import io.holdfast.config.job.Redundancy;
import io.holdfast.config.model.ModelSpec;
import io.holdfast.config.model.NnLayout;
import io.holdfast.config.model.OptimizerSpec;
import io.holdfast.config.placement.StripeMap;
import io.holdfast.config.transport.AeronSettings;
import io.holdfast.config.transport.ChannelKind;

/**
 * Memory that the processes of one host take at most, in bytes. Pages of tables that were never
 * touched cost nothing, so a job that is just over may run for long, and then be killed.
 *
 * @param tables rows of the host's servers, with optimizer state and update counters, as if every
 *     row had been touched
 * @param parity parity rows of the host's servers, with a counter for each member
 * @param nn shards of the NN with state, spread over all servers
 * @param nnReplicas their backups
 * @param staged parts of undecided transactions
 * @param witness the same parts once more at each backup, with witnesses
 * @param streams what waits for other servers to acknowledge it
 * @param workers rows, gradients and activations of the iterations in flight, all ids distinct
 * @param links shared memory of the links
 * @param heaps Java heaps
 */
public record MemoryForecast(
    long tables,
    long parity,
    long nn,
    long nnReplicas,
    long staged,
    long witness,
    long streams,
    long workers,
    long links,
    long heaps) {

  /** Values, their gradients, and a copy on its way. */
  private static final int COPIES = 3;

  /** One reader may evaluate or save while the job runs. */
  private static final int READERS = 1;

  /**
   * The forecast for a host.
   *
   * @throws IllegalArgumentException if the job cannot be placed
   */
  public static MemoryForecast of(PreflightRequest request) {
    JobSpec job = request.job();
    StripeMap map = job.stripeMap();
    long stride = job.rowLayout().strideBytes();
    long rows = map.dataCapacity() * (stride + Integer.BYTES);
    Redundancy redundancy = job.redundancy();
    long parity = map.parityCapacity() * (stride + (long) redundancy.k() * Short.BYTES);
    long copies = redundancy.witness() ? redundancy.r() : 0;
    boolean streams = redundancy.isOn() || redundancy.nnReplicas() > 0;
    return new MemoryForecast(
        request.serversHere() * rows,
        request.serversHere() * parity,
        request.serversHere() * nnBytes(job),
        request.serversHere() * nnBytes(job) * redundancy.nnReplicas(),
        request.serversHere() * job.stagedBytesMax(),
        request.serversHere() * job.stagedBytesMax() * copies,
        streams ? request.serversHere() * redundancy.windowBytes() : 0,
        request.workersHere() * workerBytes(job),
        linkBytes(request),
        request.jvmsHere() * request.heapBytes());
  }

  private static long nnBytes(JobSpec job) {
    OptimizerSpec optimizer = job.optimizer().forNn();
    long parameters = NnLayout.of(job.model()).parameters();
    long state = optimizer.kind().stateFloats((int) parameters);
    return (parameters + state) * Float.BYTES / job.servers();
  }

  private static long workerBytes(JobSpec job) {
    ModelSpec model = job.model();
    long rowFloats = (long) job.batch() * model.tables().size() * model.dim();
    long widths = model.interactionWidth();
    for (int width : model.bottom()) {
      widths += width;
    }
    for (int width : model.top()) {
      widths += width;
    }
    long floats = rowFloats + job.batch() * widths + NnLayout.of(model).parameters();
    return COPIES * floats * Float.BYTES * job.window();
  }

  /** Shared memory of the host's links. */
  static long linkBytes(PreflightRequest request) {
    if (request.aeron().isEmpty()) {
      return 0;
    }
    AeronSettings aeron = request.aeron().get();
    JobSpec job = request.job();
    boolean mesh =
        job.redundancy().isOn()
            || job.redundancy().nnReplicas()
                > 0; // Only redundancy makes servers talk to each other.
    long servers = request.serversHere();
    if (aeron.channel() == ChannelKind.IPC) {
      long clients = request.workersHere() + READERS;
      long pairs = 2 * servers * clients + (mesh ? servers * (servers - 1) : 0);
      return aeron.sharedMemoryBytes(1, pairs);
    }
    long ofServer = 2L * (job.workers() + READERS + (mesh ? job.servers() - 1 : 0));
    long ofClient = 2L * job.servers();
    long pairs = servers * ofServer + request.workersHere() * ofClient;
    return aeron.sharedMemoryBytes(request.jvmsHere(), pairs);
  }

  /** All together. */
  public long total() {
    return tables + nn + staged + workers + links + heaps + redundancy();
  }

  /** Of it, what redundancy takes beside its links. */
  public long redundancy() {
    return parity + nnReplicas + witness + streams;
  }

  @Override
  public String toString() {
    return Bytes.of(total())
        + " (tables "
        + Bytes.of(tables)
        + ", parity "
        + Bytes.of(parity)
        + ", NN "
        + Bytes.of(nn)
        + ", its replicas "
        + Bytes.of(nnReplicas)
        + ", staged "
        + Bytes.of(staged)
        + ", witnesses "
        + Bytes.of(witness)
        + ", streams "
        + Bytes.of(streams)
        + ", workers "
        + Bytes.of(workers)
        + ", links "
        + Bytes.of(links)
        + ", heaps "
        + Bytes.of(heaps)
        + ")";
  }
}
