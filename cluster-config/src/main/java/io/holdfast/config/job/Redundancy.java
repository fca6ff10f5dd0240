package io.holdfast.config.job;

import com.fasterxml.jackson.annotation.JsonIgnore;

/**
 * What is kept more than once, and how.
 *
 * @param code name of the erasure code of rows: {@code xor}, {@code rs}, {@code sum}
 * @param k data members of a stripe, at least 1
 * @param r parities of a stripe; 0: nothing is redundant
 * @param nnReplicas backups of every NN shard
 * @param witness whether backups of a server keep what is staged at it until it is applied
 * @param windowBytes a server that has sent more than this since its oldest update that not all
 *     holders have acknowledged stages nothing new
 * @param packing of differences
 * @param scrubRowsPerSecond how fast each server checks its parities in the background; 0: never
 * @param recoveryBytesPerSecond how fast a server that takes a lost one's place is filled
 */
public record Redundancy(
    String code,
    int k,
    int r,
    int nnReplicas,
    boolean witness,
    long windowBytes,
    Packing packing,
    int scrubRowsPerSecond,
    long recoveryBytesPerSecond) {
  /** Until somebody says otherwise: what a link of 10 Gbit/s carries, a tenth of it. */
  public static final long DEFAULT_RECOVERY_BYTES_PER_SECOND = 128L << 20;

  /** Every row and every NN shard is in one place only. */
  public static final Redundancy NONE =
      new Redundancy(
          "xor", 1, 0, 0, false, 1L << 26, Packing.OFF, 0, DEFAULT_RECOVERY_BYTES_PER_SECOND);

  public Redundancy {
    if (k < 1
        || r < 0
        || nnReplicas < 0
        || windowBytes < 1
        || scrubRowsPerSecond < 0
        || recoveryBytesPerSecond < 1) {
      throw new IllegalArgumentException(
          "k is %d, r is %d, nnReplicas is %d, windowBytes is %d, scrubRowsPerSecond is %d, recoveryBytesPerSecond is %d"
              .formatted(
                  k, r, nnReplicas, windowBytes, scrubRowsPerSecond, recoveryBytesPerSecond));
    }
  }

  /** Rows in stripes of {@code k} with {@code r} parities, NN shards with as many backups. */
  public static Redundancy of(String code, int k, int r) {
    return new Redundancy(
        code, k, r, r, false, 1L << 26, Packing.OFF, 0, DEFAULT_RECOVERY_BYTES_PER_SECOND);
  }

  /** Whether rows have parities. */
  @JsonIgnore
  public boolean isOn() {
    return r > 0;
  }

  public Redundancy withNnReplicas(int count) {
    return new Redundancy(
        code,
        k,
        r,
        count,
        witness,
        windowBytes,
        packing,
        scrubRowsPerSecond,
        recoveryBytesPerSecond);
  }

  public Redundancy withWitness(boolean on) {
    return new Redundancy(
        code,
        k,
        r,
        nnReplicas,
        on,
        windowBytes,
        packing,
        scrubRowsPerSecond,
        recoveryBytesPerSecond);
  }

  public Redundancy withWindowBytes(long bytes) {
    return new Redundancy(
        code,
        k,
        r,
        nnReplicas,
        witness,
        bytes,
        packing,
        scrubRowsPerSecond,
        recoveryBytesPerSecond);
  }

  public Redundancy withPacking(Packing other) {
    return new Redundancy(
        code,
        k,
        r,
        nnReplicas,
        witness,
        windowBytes,
        other,
        scrubRowsPerSecond,
        recoveryBytesPerSecond);
  }

  public Redundancy withScrub(int rowsPerSecond) {
    return new Redundancy(
        code,
        k,
        r,
        nnReplicas,
        witness,
        windowBytes,
        packing,
        rowsPerSecond,
        recoveryBytesPerSecond);
  }

  public Redundancy withRecoveryRate(long bytesPerSecond) {
    return new Redundancy(
        code, k, r, nnReplicas, witness, windowBytes, packing, scrubRowsPerSecond, bytesPerSecond);
  }
}
