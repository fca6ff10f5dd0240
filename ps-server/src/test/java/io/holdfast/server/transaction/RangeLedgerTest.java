package io.holdfast.server.transaction;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.holdfast.config.control.ServerControl.RangeRecord;
import io.holdfast.config.protocol.DataRange;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class RangeLedgerTest {
  private static DataRange range(int pass, int file, long from, long to) {
    return new DataRange(pass, file, from, to, (int) (to - from), 2);
  }

  @Test
  void shouldMergeNeighboursInAnyOrder() {
    for (long seed = 0; seed < 30; seed++) {
      List<DataRange> ranges = new ArrayList<>();
      for (int i = 0; i < 50; i++) {
        ranges.add(range(0, 0, 10L * i, 10L * i + 10));
        ranges.add(range(0, 1, 10L * i, 10L * i + 10));
      }
      ranges.add(range(1, 0, 500, 510));
      Collections.shuffle(ranges, new Random(seed));
      RangeLedger ledger = new RangeLedger();
      ranges.forEach(ledger::add);
      assertEquals(
          List.of(
              new RangeRecord(new DataRange(0, 0, 0, 500, 500, 100), 50),
              new RangeRecord(new DataRange(0, 1, 0, 500, 500, 100), 50),
              new RangeRecord(new DataRange(1, 0, 500, 510, 10, 2), 1)),
          ledger.records(),
          "seed " + seed);
    }
  }

  @Test
  void shouldKeepGapsAndOverlapsVisible() {
    RangeLedger ledger = new RangeLedger();
    ledger.add(range(0, 0, 0, 10));
    ledger.add(range(0, 0, 20, 30));
    ledger.add(range(0, 0, 5, 15));
    ledger.add(range(0, 0, 20, 30));
    assertEquals(
        List.of(
            new RangeRecord(range(0, 0, 0, 10), 1),
            new RangeRecord(range(0, 0, 5, 15), 1),
            new RangeRecord(range(0, 0, 20, 30), 1),
            new RangeRecord(range(0, 0, 20, 30), 1)),
        ledger.records());
  }

  @Test
  void shouldNotOverflowItsSums() {
    RangeLedger ledger = new RangeLedger();
    ledger.add(new DataRange(0, 0, 0, 10, Integer.MAX_VALUE, 0));
    ledger.add(new DataRange(0, 0, 10, 20, 1, 0));
    assertEquals(2, ledger.records().size());
  }
}
