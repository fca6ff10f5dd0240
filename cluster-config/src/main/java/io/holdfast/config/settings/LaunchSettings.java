package io.holdfast.config.settings;

/**
 * What only the launching process and its own resources need; the rest is the {@code JobSpec}.
 *
 * @param epochs passes over the data; 0: {@code iterations} decides
 * @param iterations of all workers together; 0: {@code epochs} decides
 * @param input what is read and scored
 * @param cluster how processes find one another
 * @param transport how data links are opened
 * @param childHeapBytes Java heap of each process that this one starts
 * @param hugePages whether tables ask for huge pages
 * @param progressNanos time between two plain lines of progress
 */
public record LaunchSettings(
    int epochs,
    long iterations,
    InputSettings input,
    ClusterSettings cluster,
    TransportSettings transport,
    long childHeapBytes,
    boolean hugePages,
    long progressNanos) {
  /** The same with data links that are opened in another way. */
  public LaunchSettings withTransport(TransportSettings other) {
    return new LaunchSettings(
        epochs, iterations, input, cluster, other, childHeapBytes, hugePages, progressNanos);
  }
}
