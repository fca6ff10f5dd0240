package io.holdfast.config.transport;

import java.util.concurrent.atomic.LongAdder;

/** What went through an endpoint and what it refused. Read from any thread. */
public final class EndpointCounters {
  /** Frames that could not be decoded. */
  public final LongAdder malformed = new LongAdder();

  /** Frames without the job's session key. */
  public final LongAdder wrongKey = new LongAdder();

  /** Frames from or to another incarnation than the map names (hazards 1 and 6: fenced). */
  public final LongAdder fenced = new LongAdder();

  /** Frames of another epoch. */
  public final LongAdder staleEpoch = new LongAdder();

  /** Frames that nobody acted on. */
  public long refused() {
    return malformed.sum() + wrongKey.sum() + fenced.sum() + staleEpoch.sum();
  }

  public final LongAdder pullBytesSent = new LongAdder();
  public final LongAdder pullBytesReceived = new LongAdder();
  public final LongAdder pushBytesSent = new LongAdder();
  public final LongAdder pushBytesReceived = new LongAdder();

  /** Differences of rows and records of data to other servers, and acknowledgements. */
  public final LongAdder deltaBytesSent = new LongAdder();

  /** Gradients of NN shards to backups. */
  public final LongAdder nnReplicaBytesSent = new LongAdder();

  /** To servers that take a lost one's place. */
  public final LongAdder copyBytesSent = new LongAdder();
}
