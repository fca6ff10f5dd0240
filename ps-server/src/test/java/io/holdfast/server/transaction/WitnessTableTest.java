package io.holdfast.server.transaction;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.config.placement.NodeId;
import io.holdfast.config.protocol.DataMessage;
import io.holdfast.config.protocol.DataRange;
import io.holdfast.config.protocol.Participants;
import io.holdfast.config.protocol.Payload;
import io.holdfast.config.protocol.RefusalReason;
import io.holdfast.config.protocol.TxHeader;
import io.holdfast.config.protocol.TxId;
import io.holdfast.server.storage.RefusedException;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

class WitnessTableTest {
  private static final NodeId WORKER = NodeId.worker(0);

  /** Server 2 of 5 is a witness of servers 0 and 1. */
  private final WitnessTable table = new WitnessTable(2, 5, 2, 256);

  private boolean stage(long sequence, long watermark, int owner, int part, int parts, int bytes)
      throws RefusedException {
    TxHeader header =
        new TxHeader(
            new TxId(WORKER, 9, sequence),
            watermark,
            0.1f,
            owner,
            new DataRange(0, 0, 0, 1, 1, 0),
            part,
            parts);
    return table.stage(
        new DataMessage.StageShard(
            header, Participants.of(0, 1), 0, Payload.of(MemorySegment.ofArray(new byte[bytes]))));
  }

  @Test
  void shouldKeepWholePartsUntilTheWatermarkCoversThem() throws RefusedException {
    assertFalse(stage(1, 0, 0, 1, 2, 64));
    assertTrue(stage(1, 0, 0, 0, 2, 64));
    assertTrue(table.holds(new TxId(WORKER, 9, 1), 0));
    assertTrue(stage(2, 1, 1, 0, 1, 64));
    assertFalse(table.holds(new TxId(WORKER, 9, 1), 0));
    assertEquals(64, table.bytes());
    table.resolve(WORKER, 9);
    assertEquals(0, table.bytes());
    RefusedException refused = assertThrows(RefusedException.class, () -> stage(3, 1, 1, 0, 1, 64));
    assertEquals(RefusalReason.ABORTED, refused.reason());
  }

  /** Else the oldest transaction waits for itself: what it has staged cannot be moved. */
  @Test
  void shouldGiveOneOwnersPartsNoPlaceInAnothersWay() throws RefusedException {
    stage(1, 0, 0, 0, 1, 64);
    stage(2, 0, 0, 0, 4, 64);
    stage(2, 0, 1, 0, 3, 64);
    stage(2, 0, 0, 1, 4, 64);
    stage(2, 0, 1, 1, 3, 64);
    stage(2, 0, 0, 2, 4, 64);
    try {
      stage(2, 0, 0, 3, 4, 64);
      stage(2, 0, 1, 2, 3, 128);
    } catch (RefusedException e) {
      assertEquals(RefusalReason.BUSY, e.reason());
    }
    // The first one is applied everywhere; all is sent again.
    for (int part = 0; part < 4; part++) {
      stage(2, 1, 0, part, 4, 64);
    }
    stage(2, 1, 1, 0, 3, 64);
    stage(2, 1, 1, 1, 3, 64);
    assertTrue(stage(2, 1, 1, 2, 3, 128));
    assertTrue(table.holds(new TxId(WORKER, 9, 2), 0));
    table.close();
  }
}
