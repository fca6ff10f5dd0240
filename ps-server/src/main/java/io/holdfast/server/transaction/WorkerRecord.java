package io.holdfast.server.transaction;

import java.util.TreeMap;

/** All that a server knows of one incarnation of a worker. */
final class WorkerRecord {
  /** Transactions that are not applied, by sequence. */
  final TreeMap<Long, Transaction> open = new TreeMap<>();

  /** Applied transactions above the watermark. */
  final SequenceSet applied = new SequenceSet();

  /** Of those that are applied or APPLYING, the ones whose data this server records. */
  final SequenceSet recorded = new SequenceSet();

  /** Transactions that were refused for lack of memory and are not staged yet. */
  final SequenceSet refused = new SequenceSet();

  /** All sequences up to this one are applied everywhere. */
  long watermark;

  /** Refused for ever. */
  boolean fenced;

  /** Memory of its staged parts; null before the first part and after it is resolved. */
  StagingArea area;
}
