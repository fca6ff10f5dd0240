package io.holdfast.config.preflight;

import io.holdfast.config.job.JobSpec;
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
 * @param nn shards of the NN with state, with their backups, spread over all servers
 * @param staged parts of undecided transactions
 * @param workers rows, gradients and activations of the iterations in flight, all ids distinct
 * @param links shared memory of the links
 * @param heaps Java heaps
 */
public record MemoryForecast(
    long tables, long parity, long nn, long staged, long workers, long links, long heaps) {

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
    long parity = map.parityCapacity() * (stride + (long) job.redundancy().k() * Integer.BYTES);
    return new MemoryForecast(
        request.serversHere() * rows,
        request.serversHere() * parity,
        request.serversHere() * nnBytes(job),
        request.serversHere() * job.stagedBytesMax(),
        request.workersHere() * workerBytes(job),
        linkBytes(request),
        request.jvmsHere() * request.heapBytes());
  }

  private static long nnBytes(JobSpec job) {
    OptimizerSpec optimizer = job.optimizer().forNn();
    long parameters = NnLayout.of(job.model()).parameters();
    long state = optimizer.kind().stateFloats((int) parameters);
    return (parameters + state) * Float.BYTES * (1 + job.redundancy().nnReplicas()) / job.servers();
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
    boolean mesh = job.redundancy().isOn(); // Only redundancy makes servers talk to each other.
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
    return tables + parity + nn + staged + workers + links + heaps;
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
        + ", staged "
        + Bytes.of(staged)
        + ", workers "
        + Bytes.of(workers)
        + ", links "
        + Bytes.of(links)
        + ", heaps "
        + Bytes.of(heaps)
        + ")";
  }
}
