package io.holdfast.system.sim;

import io.holdfast.config.control.ControlMessage;
import io.holdfast.config.placement.NodeId;
import io.holdfast.config.placement.PlacementMap;
import io.holdfast.config.protocol.DataMessage;
import io.holdfast.config.protocol.Envelope;
import io.holdfast.config.protocol.Outbox;
import io.holdfast.config.protocol.TxId;
import io.holdfast.config.transport.MessageHandler;
import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;

/**
 * Where one can step between a process and its surroundings: to plant a bug, or to script what
 * happens when. Passes everything through.
 */
class Seams {
  /** A server's core sends a message. */
  void serverSends(SimServer server, NodeId to, DataMessage message, Outbox endpoint) {
    endpoint.send(to, message);
  }

  /** A message has arrived for a server's core; valid during this call. */
  void serverGets(SimServer server, NodeId from, DataMessage message, MessageHandler core) {
    core.onMessage(from, message);
  }

  /** The coordinator's message has arrived for a server's core. */
  void serverIsTold(SimServer server, ControlMessage message, Consumer<ControlMessage> core) {
    core.accept(message);
  }

  /** How much longer than others a control message takes, in nanoseconds. */
  long lateNanos(SimProcess to, ControlMessage message) {
    return 0;
  }

  /** Whether a control message is lost. */
  boolean isLost(SimProcess to, ControlMessage message) {
    return false;
  }

  /** The map that a server adopts. */
  PlacementMap map(SimServer server, PlacementMap map) {
    return map;
  }

  /** Whether {@link #restamp} is to be asked. */
  boolean restamps() {
    return false;
  }

  /** What a frame says of itself when it arrives. */
  Envelope restamp(NodeId to, Envelope envelope) {
    return envelope;
  }

  /** A worker's core sends a message. */
  void workerSends(SimWorker worker, NodeId to, DataMessage message, Outbox endpoint) {
    endpoint.send(to, message);
  }

  /**
   * A worker has computed gradients, which may be changed still.
   *
   * @param rows ids
   * @param gradients {@code [rows, dim]} floats
   */
  void computed(
      SimWorker worker, long[] rows, MemorySegment gradients, MemorySegment nnGradients) {}

  /** A server was seen to apply its part of a transaction. */
  void applied(SimServer server, TxId tx) {}
}
