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
  final Set<SimPart> staged = new HashSet<>();
  final Set<SimPart> applied = new HashSet<>();

  /** Participants that the worker believed alive when it decided. */
  final Set<Integer> aliveAtDecision = new HashSet<>();

  boolean opened;
  boolean committing;

  SimTransaction(TxId id, DataRange range, Participants participants, long lease) {
    this.id = id;
    this.range = range;
    this.participants = participants;
    this.lease = lease;
  }
}
