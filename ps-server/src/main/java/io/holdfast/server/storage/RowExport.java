package io.holdfast.server.storage;

import io.holdfast.config.protocol.Payload;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Updated rows of a {@link RowStore}, as payloads that read it when they are written. */
public final class RowExport {
  private final RowStore store;
  private final long[] rows;
  private final long nextRow;

  RowExport(RowStore store, long[] rows, long nextRow) {
    this.store = store;
    this.rows = rows;
    this.nextRow = nextRow;
  }

  public int count() {
    return rows.length;
  }

  /** Where to go on. */
  public long nextRow() {
    return nextRow;
  }

  /** int64 ids in increasing order. */
  public Payload rows() {
    return new Column(Long.BYTES) {
      @Override
      void write(int i, MemorySegment target, long offsetBytes) {
        target.set(ValueLayout.JAVA_LONG_UNALIGNED, offsetBytes, rows[i]);
      }
    };
  }

  /** int32 update counters. */
  public Payload counters() {
    return new Column(Integer.BYTES) {
      @Override
      void write(int i, MemorySegment target, long offsetBytes) {
        target.set(ValueLayout.JAVA_INT_UNALIGNED, offsetBytes, store.counter(rows[i]));
      }
    };
  }

  /** {@code [count, rowFloats]}: {@code [weights | state]}. */
  public Payload values() {
    return new Column(store.layout().rowBytes()) {
      @Override
      void write(int i, MemorySegment target, long offsetBytes) {
        store.copy(rows[i], target, offsetBytes);
      }
    };
  }

  /** One value of fixed width for each row. */
  private abstract class Column implements Payload {
    private final int widthBytes;

    Column(int widthBytes) {
      this.widthBytes = widthBytes;
    }

    abstract void write(int i, MemorySegment target, long offsetBytes);

    @Override
    public long lengthBytes() {
      return (long) rows.length * widthBytes;
    }

    @Override
    public void writeTo(MemorySegment target, long offsetBytes) {
      for (int i = 0; i < rows.length; i++) {
        write(i, target, offsetBytes + (long) i * widthBytes);
      }
    }
  }
}
