package io.holdfast.recovery;

import io.holdfast.config.control.ServerControl.RangeRecord;
import io.holdfast.config.protocol.DataRange;
import java.util.Collection;
import java.util.List;

/** Checks at the job's end that what servers committed is what was dealt out, exactly once. */
final class CommittedData {
  private CommittedData() {}

  /**
   * All committed data.
   *
   * @throws ProtocolException if some of it was recorded twice
   */
  static SpanSet covered(Collection<List<RangeRecord>> records) {
    SpanSet covered = new SpanSet();
    try {
      for (List<RangeRecord> ofServer : records) {
        for (RangeRecord each : ofServer) {
          DataRange range = each.range();
          covered.add(new Span(range.pass(), range.file(), range.from(), range.to()));
        }
      }
    } catch (SpanSet.OverlapException e) {
      throw new ProtocolException("data was trained twice: " + e.getMessage());
    }
    return covered;
  }

  /**
   * The totals. Iterations without a record are borne only as far as the ledger knows of deaths
   * that can be the reason; their data was dealt out again, so that all of it is recorded exactly
   * once nevertheless.
   *
   * @param records of all servers; each transaction's range was recorded by one of them
   * @throws ProtocolException naming the data that was trained twice or not at all, or counts that
   *     do not agree
   */
  static DataTotals check(
      Collection<List<RangeRecord>> records, TrainingData data, DataLedger ledger) {
    SpanSet covered = covered(records);
    try {
      covered.addAll(ledger.barren());
    } catch (SpanSet.OverlapException e) {
      throw new ProtocolException("data without a good line was trained: " + e.getMessage());
    }
    long samples = 0;
    long iterations = 0;
    long skipped = ledger.barrenSkipped();
    for (List<RangeRecord> ofServer : records) {
      for (RangeRecord each : ofServer) {
        samples += each.range().samples();
        iterations += each.iterations();
        skipped += each.range().skipped();
      }
    }
    requireExactly(expected(data, ledger), covered);
    long repeated = ledger.iterations() - iterations;
    if (repeated < 0
        || repeated > ledger.atRisk()
        || (data.endsByIterations() && ledger.iterations() != data.iterations())) {
      throw new ProtocolException(
          "servers committed "
              + iterations
              + " iterations, workers "
              + ledger.iterations()
              + (data.endsByIterations() ? ", asked for were " + data.iterations() : ""));
    }
    long reported = ledger.reportedSamples();
    if (samples < reported || (ledger.reportsAreComplete() && samples != reported)) {
      throw new ProtocolException(
          "servers committed " + samples + " samples, workers trained " + reported);
    }
    return new DataTotals(samples, ledger.iterations(), skipped, repeated);
  }

  private static SpanSet expected(TrainingData data, DataLedger ledger) {
    if (data.endsByIterations()) {
      return ledger.finished();
    }
    SpanSet all = new SpanSet();
    for (int pass = 0; pass < data.passes(); pass++) {
      for (Split split : data.splits()) {
        all.add(new Span(pass, split.file(), split.from(), split.to()));
      }
    }
    return all;
  }

  private static void requireExactly(SpanSet expected, SpanSet covered) {
    for (Span span : expected.spans()) {
      List<Span> missing = covered.missing(span);
      if (!missing.isEmpty()) {
        throw new ProtocolException("data was not trained: " + missing.getFirst());
      }
    }
    for (Span span : covered.spans()) {
      List<Span> surplus = expected.missing(span);
      if (!surplus.isEmpty()) {
        throw new ProtocolException(
            "data was trained that nobody asked for: " + surplus.getFirst());
      }
    }
  }
}
