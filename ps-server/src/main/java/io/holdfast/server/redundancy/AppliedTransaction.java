package io.holdfast.server.redundancy;

import io.holdfast.config.protocol.TxId;

/** A transaction that is applied here and on its way to its holders. */
final class AppliedTransaction {
  final TxId tx;
  final long watermark;

  /** How many transactions were applied here, this one included. */
  final long ordinal;

  /** Stream items that are not acknowledged. */
  int outstanding;

  /** Of all its stream items, acknowledged ones too. */
  long bytes;

  AppliedTransaction(TxId tx, long watermark, long ordinal) {
    this.tx = tx;
    this.watermark = watermark;
    this.ordinal = ordinal;
  }
}
