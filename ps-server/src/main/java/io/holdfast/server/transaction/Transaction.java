package io.holdfast.server.transaction;

import io.holdfast.config.protocol.DataMessage;
import io.holdfast.config.protocol.Participants;
import io.holdfast.config.protocol.TxHeader;
import java.util.TreeMap;

/** A transaction that is staged here, wholly or partly, and not applied. */
final class Transaction {
  private final TxHeader header;
  private final Participants participants;

  /** By part number: parts are applied in this order, however they came. */
  private final TreeMap<Integer, StagedPart> parts = new TreeMap<>();

  private TransactionState state = TransactionState.STAGING;

  Transaction(TxHeader header, Participants participants) {
    this.header = header;
    this.participants = participants;
  }

  TxHeader header() {
    return header;
  }

  Participants participants() {
    return participants;
  }

  TransactionState state() {
    return state;
  }

  void to(TransactionState next) {
    state = state.to(next);
  }

  /** Whether a message tells the same of this transaction as the first one did. */
  boolean agreesWith(DataMessage.Stage message) {
    TxHeader other = message.header();
    return header.tx().equals(other.tx())
        && header.parts() == other.parts()
        && header.range().equals(other.range())
        && Float.floatToRawIntBits(header.learningRate())
            == Float.floatToRawIntBits(other.learningRate())
        && participants.equals(message.participants());
  }

  boolean has(int part) {
    return parts.containsKey(part);
  }

  void add(int part, StagedPart content) {
    parts.put(part, content);
    if (parts.size() == header.parts()) {
      to(TransactionState.STAGED);
    }
  }

  Iterable<StagedPart> parts() {
    return parts.values();
  }

  void forgetParts() {
    parts.clear();
  }
}
