package io.holdfast.recovery;

import io.holdfast.config.protocol.DataRange;
import io.holdfast.config.protocol.Participants;
import io.holdfast.config.protocol.TxId;
import java.util.HashSet;
import java.util.Set;

/** An iteration of a simulated worker. One object for each. */
final class SimTransaction {
  final TxId id;
  final DataRange range;
  final Participants participants;
  final long lease;
  final Set<Integer> stagedBy = new HashSet<>();
  final Set<Integer> appliedBy = new HashSet<>();
  boolean opened;
  boolean committing;

  SimTransaction(TxId id, DataRange range, Participants participants, long lease) {
    this.id = id;
    this.range = range;
    this.participants = participants;
    this.lease = lease;
  }
}
