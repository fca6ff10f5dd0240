package io.holdfast.server;

import io.holdfast.config.control.ServerControl.StartServer;
import io.holdfast.config.fault.ProcessFaults;
import io.holdfast.config.placement.StripeMap;
import java.util.OptionalLong;
import java.util.stream.LongStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Damages a stored row on purpose, as memory that fails does: nobody is told. */
final class RowDamage {
  private static final Logger LOG = LoggerFactory.getLogger(RowDamage.class);

  /** In the weights of every row. */
  private static final int BIT = 5;

  private RowDamage() {}

  /** Flips a bit of a row that this server owns, or of any that was updated. */
  static void inflict(StartServer start, ServerCore core, long row) {
    OptionalLong damaged =
        (row == ProcessFaults.ANY_ROW ? updated(start, core) : LongStream.of(row))
            .filter(each -> core.rows().flipBit(each, BIT))
            .findFirst();
    if (damaged.isPresent()) {
      LOG.warn("{}: a bit of row {} was flipped, as told", start.self(), damaged.getAsLong());
    } else {
      LOG.warn(
          "{}: no bit was flipped, as told: row {} was never updated here",
          start.self(),
          row == ProcessFaults.ANY_ROW ? "after row" : row);
    }
  }

  private static LongStream updated(StartServer start, ServerCore core) {
    StripeMap map = start.job().stripeMap();
    return LongStream.range(0, map.dataCapacity())
        .map(index -> map.rowAt(start.self().index(), index))
        .filter(each -> each >= 0 && each < map.rows() && core.rows().counter(each) > 0);
  }
}
