package io.holdfast.server.scrub;

import io.holdfast.config.placement.NodeId;
import io.holdfast.config.placement.StripeMap;
import io.holdfast.config.protocol.Outbox;
import io.holdfast.config.protocol.Payload;
import io.holdfast.config.protocol.PeerMessage;
import io.holdfast.config.protocol.RefusalReason;
import io.holdfast.server.storage.RefusedException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What a server does for others that scrub: shows its parities, lets its rows be put right. */
public final class ScrubAnswers {
  private static final Logger LOG = LoggerFactory.getLogger(ScrubAnswers.class);
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;

  private final NodeId self;
  private final StripeMap map;
  private final int rowBytes;
  private final OwnRows rows;
  private final KeptParities parities;
  private final Outbox outbox;

  /** The rows that a server owns. */
  public interface OwnRows {
    boolean owns(long row);

    /**
     * Puts an own row right, if it still has the counter with which it was found wrong.
     *
     * @param changes of the right row since its initial one
     * @return whether it had
     */
    boolean repair(
        long row, int foundCounter, int rightCounter, MemorySegment changes, long offsetBytes);
  }

  /**
   * Answers for a server.
   *
   * @param rowBytes weights and state of a row
   * @param outbox for answers
   */
  public ScrubAnswers(
      NodeId self,
      StripeMap map,
      int rowBytes,
      OwnRows rows,
      KeptParities parities,
      Outbox outbox) {
    this.self = self;
    this.map = map;
    this.rowBytes = rowBytes;
    this.rows = rows;
    this.parities = parities;
    this.outbox = outbox;
  }

  /**
   * Another holder of the same stripes wants this one's parities.
   *
   * @throws RefusedException MALFORMED if this server keeps no parity of a stripe
   */
  public void onCaptureParities(NodeId from, PeerMessage.CaptureParities message)
      throws RefusedException {
    MemorySegment stripes = message.stripes().segment();
    int count = (int) (stripes.byteSize() / Long.BYTES);
    long[] places = new long[count];
    for (int i = 0; i < count; i++) {
      places[i] = placeOf(stripes.get(LONG, (long) i * Long.BYTES));
    }
    int k = map.k();
    outbox.send(
        from,
        new PeerMessage.CapturedParities(
            message.request(),
            message.stripes(),
            new Column(count, k * Integer.BYTES) {
              @Override
              void write(int i, MemorySegment target, long offsetBytes) {
                for (int member = 0; member < k; member++) {
                  target.set(
                      INT,
                      offsetBytes + (long) member * Integer.BYTES,
                      parities.counter(places[i], member));
                }
              }
            },
            new Column(count, rowBytes) {
              @Override
              void write(int i, MemorySegment target, long offsetBytes) {
                MemorySegment.copy(
                    parities.segment(), parities.offset(places[i]), target, offsetBytes, rowBytes);
              }
            }));
  }

  private long placeOf(long stripe) throws RefusedException {
    if (stripe >= 0 && stripe < map.stripes()) {
      for (int parity = 0; parity < map.r(); parity++) {
        if (map.serverOf(stripe, map.k() + parity) == self.index()) {
          return map.indexOfParity(stripe, parity);
        }
      }
    }
    throw new RefusedException(
        RefusalReason.MALFORMED, self + " keeps no parity of stripe " + stripe);
  }

  /**
   * A holder has found rows of this server to be wrong.
   *
   * @throws RefusedException MALFORMED if one is not this server's
   */
  public void onRepairRows(NodeId from, PeerMessage.RepairRows message) throws RefusedException {
    MemorySegment ids = message.rows().segment();
    MemorySegment counters = message.counters().segment();
    MemorySegment values = message.values().segment();
    long count = ids.byteSize() / Long.BYTES;
    if (counters.byteSize() != 2 * count * Integer.BYTES || values.byteSize() != count * rowBytes) {
      throw new RefusedException(
          RefusalReason.MALFORMED,
          count
              + " rows with "
              + counters.byteSize()
              + " bytes of counters and "
              + values.byteSize()
              + " of values");
    }
    for (long i = 0; i < count; i++) {
      long row = ids.get(LONG, i * Long.BYTES);
      if (row < 0 || row >= map.rows() || !rows.owns(row)) {
        throw new RefusedException(
            RefusalReason.MALFORMED, "row " + row + " is not a row of " + self);
      }
      int found = counters.get(INT, 2 * i * Integer.BYTES);
      int right = counters.get(INT, (2 * i + 1) * Integer.BYTES);
      if (rows.repair(row, found, right, values, i * rowBytes)) {
        LOG.error(
            "{}: row {} was wrong after {} updates, as {} found by its stripe; it is put right",
            self,
            row,
            found,
            from);
      } else {
        LOG.warn(
            "{}: row {} is wrong, as {} found by its stripe, but it was updated meanwhile; it is"
                + " found again",
            self,
            row,
            from);
      }
    }
  }

  /** One value of fixed width for each of some rows or stripes. */
  private abstract static class Column implements Payload {
    private final int count;
    private final int widthBytes;

    Column(int count, int widthBytes) {
      this.count = count;
      this.widthBytes = widthBytes;
    }

    abstract void write(int i, MemorySegment target, long offsetBytes);

    @Override
    public long lengthBytes() {
      return (long) count * widthBytes;
    }

    @Override
    public void writeTo(MemorySegment target, long offsetBytes) {
      for (int i = 0; i < count; i++) {
        write(i, target, offsetBytes + (long) i * widthBytes);
      }
    }
  }
}
