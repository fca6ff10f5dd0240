package io.holdfast.server.redundancy;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.holdfast.config.placement.NodeId;
import io.holdfast.config.protocol.DataMessage;
import io.holdfast.config.protocol.DataRange;
import io.holdfast.config.protocol.Outbox;
import io.holdfast.config.protocol.PeerMessage;
import io.holdfast.config.protocol.TxId;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class OutStreamTest {
  private static final long RETRY = 1000;
  private static final TxId TX = new TxId(NodeId.worker(0), 1, 1);

  private final List<Long> sent = new ArrayList<>();
  private boolean congested;
  private final Outbox outbox =
      new Outbox() {
        @Override
        public void send(NodeId to, DataMessage message) {
          sent.add(((PeerMessage.StreamItem) message).position().number());
        }

        @Override
        public boolean isCongested(NodeId to) {
          return congested;
        }
      };
  private final OutStream stream = new OutStream(NodeId.server(1), outbox, RETRY);

  private void add() {
    AppliedTransaction applied = new AppliedTransaction(TX, 0, 1);
    stream.add(new StreamItem.Range(applied, new DataRange(0, 0, 0, 1, 1, 0)), 0, 0);
  }

  @Test
  void shouldSendAgainAfterSilence() {
    add();
    add();
    stream.tick(0, RETRY - 1);
    assertEquals(List.of(1L, 2L), sent);
    stream.tick(0, RETRY);
    assertEquals(List.of(1L, 2L, 1L, 2L), sent);
  }

  @Test
  void shouldSendNothingAgainWhileTheLinkTakesNothing() {
    congested = true;
    add();
    add();
    for (int i = 1; i < 100; i++) {
      stream.tick(0, i * RETRY);
      stream.onAck(0, true, 0, i * RETRY, item -> {});
      stream.resend(0, i * RETRY);
    }
    assertEquals(List.of(1L, 2L), sent);
    congested = false;
    stream.tick(0, 99 * RETRY + 1);
    stream.tick(0, 99 * RETRY + 2);
    assertEquals(List.of(1L, 2L, 1L, 2L), sent);
  }

  @Test
  void shouldSendOnceForManyTellingTheSameGap() {
    add();
    add();
    for (int i = 0; i < 10; i++) {
      stream.onAck(0, true, 0, i, item -> {});
    }
    assertEquals(List.of(1L, 2L, 1L, 2L), sent);
  }
}
