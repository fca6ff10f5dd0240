package io.holdfast.system.sim;

import io.holdfast.config.job.JobSpec;
import io.holdfast.config.protocol.Payload;
import io.holdfast.server.ServerCore;
import io.holdfast.server.storage.RefusedException;
import io.holdfast.server.storage.RowExport;
import io.holdfast.server.storage.RowStore;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Map;
import java.util.TreeMap;

/** What servers have in memory. */
final class Memory {
  /** A row as its owner has it: {@code [weights | state]} and its update counter. */
  record StoredRow(int counter, MemorySegment values) {
    byte[] bytes() {
      return values.toArray(ValueLayout.JAVA_BYTE);
    }
  }

  private Memory() {}

  /** A server's rows that were ever updated. */
  static Map<Long, StoredRow> rows(JobSpec job, ServerCore core) {
    return rows(job, core.rows());
  }

  /** Rows of a store that were ever updated. */
  static Map<Long, StoredRow> rows(JobSpec job, RowStore rows) {
    Map<Long, StoredRow> all = new TreeMap<>();
    long total = job.model().totalRows();
    int rowBytes = rows.layout().rowBytes();
    for (long from = 0; from < total; ) {
      RowExport found;
      try {
        found = rows.export(from, total, 64);
      } catch (RefusedException e) {
        throw new IllegalStateException("rows 0 to " + total + " are refused", e);
      }
      MemorySegment ids = bytes(found.rows());
      MemorySegment counters = bytes(found.counters());
      MemorySegment values = bytes(found.values());
      for (int i = 0; i < found.count(); i++) {
        all.put(
            ids.get(ValueLayout.JAVA_LONG_UNALIGNED, 8L * i),
            new StoredRow(
                counters.get(ValueLayout.JAVA_INT_UNALIGNED, 4L * i),
                values.asSlice((long) i * rowBytes, rowBytes)));
      }
      from = found.nextRow();
    }
    return all;
  }

  private static MemorySegment bytes(Payload payload) {
    MemorySegment bytes = MemorySegment.ofArray(new byte[(int) payload.lengthBytes()]);
    payload.writeTo(bytes, 0);
    return bytes;
  }

  /** An NN shard's {@code [weights | state]} at its primary. */
  static byte[] shard(ServerCore primary, int shard) {
    try {
      return primary.nn().all(shard).toArray(ValueLayout.JAVA_BYTE);
    } catch (RefusedException e) {
      throw new IllegalStateException("an own shard is refused", e);
    }
  }

  static long shardUpdates(ServerCore primary, int shard) {
    try {
      return primary.nn().version(shard).counter();
    } catch (RefusedException e) {
      throw new IllegalStateException("an own shard is refused", e);
    }
  }
}
