package io.holdfast.server.transaction;

import io.holdfast.config.control.ServerControl.RangeRecord;
import io.holdfast.config.protocol.DataRange;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.TreeSet;

/**
 * The data that committed transactions learned from, as far as this server records it. Neighbours
 * of one pass and file are merged and their sums added. Records that overlap are kept apart, so
 * that whoever reads them can see that something was trained twice.
 */
public final class RangeLedger {
  private static final Comparator<RangeRecord> ORDER =
      Comparator.<RangeRecord>comparingInt(r -> r.range().pass())
          .thenComparingInt(r -> r.range().file())
          .thenComparingLong(r -> r.range().from())
          .thenComparingLong(r -> r.range().to())
          .thenComparingInt(r -> r.range().samples())
          .thenComparingInt(r -> r.range().skipped())
          .thenComparingLong(RangeRecord::iterations);

  private final TreeSet<RangeRecord> records = new TreeSet<>(ORDER);

  /** Equal ranges that were recorded more than once. */
  private final List<RangeRecord> repeated = new ArrayList<>();

  /** Notes a committed transaction's data. */
  public void add(DataRange range) {
    add(new RangeRecord(range, 1));
  }

  /** Notes the data of several committed transactions. */
  public void add(RangeRecord record) {
    if (!records.add(record)) {
      repeated.add(record);
      return;
    }
    RangeRecord withLower = merge(records.lower(record), record);
    merge(withLower, records.higher(withLower));
  }

  /** Replaces two records by their union if they are neighbours; returns what holds the second. */
  private RangeRecord merge(RangeRecord first, RangeRecord second) {
    if (!areNeighbours(first, second)) {
      return second;
    }
    DataRange a = first.range();
    DataRange b = second.range();
    DataRange both =
        new DataRange(
            a.pass(),
            a.file(),
            a.from(),
            b.to(),
            a.samples() + b.samples(),
            a.skipped() + b.skipped());
    RangeRecord union = new RangeRecord(both, first.iterations() + second.iterations());
    records.remove(first);
    records.remove(second);
    records.add(union);
    return union;
  }

  private static boolean areNeighbours(RangeRecord first, RangeRecord second) {
    if (first == null || second == null) {
      return false;
    }
    DataRange a = first.range();
    DataRange b = second.range();
    return a.pass() == b.pass()
        && a.file() == b.file()
        && a.to() == b.from()
        // The sums must fit the record.
        && (long) a.samples() + b.samples() <= Integer.MAX_VALUE
        && (long) a.skipped() + b.skipped() <= Integer.MAX_VALUE;
  }

  /** All records, in order of pass, file and position. */
  public List<RangeRecord> records() {
    List<RangeRecord> all = new ArrayList<>(records);
    all.addAll(repeated);
    all.sort(ORDER);
    return all;
  }
}
