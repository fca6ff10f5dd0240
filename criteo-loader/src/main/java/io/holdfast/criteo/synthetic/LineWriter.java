package io.holdfast.criteo.synthetic;

import io.holdfast.criteo.CriteoFormat;

/** Writes rows as Criteo lines into a buffer. */
final class LineWriter {
  private static final byte[] HEX =
      "0123456789abcdef".getBytes(java.nio.charset.StandardCharsets.US_ASCII);

  private final byte[] buffer;
  private int at;

  LineWriter(int maxRows) {
    buffer = new byte[maxRows * CriteoFormat.MAX_LINE_BYTES];
  }

  byte[] buffer() {
    return buffer;
  }

  /** Bytes written. */
  int size() {
    return at;
  }

  void clear() {
    at = 0;
  }

  void append(SyntheticRow row) {
    buffer[at++] = (byte) (row.click() ? '1' : '0');
    for (int column = 0; column < CriteoFormat.INTEGERS; column++) {
      buffer[at++] = '\t';
      if (!row.integerMissing(column)) {
        integer(row.integer(column));
      }
    }
    for (int column = 0; column < CriteoFormat.CATEGORIES; column++) {
      buffer[at++] = '\t';
      if (row.rank(column) >= 0) {
        hex(row.category(column));
      }
    }
    buffer[at++] = '\n';
  }

  private void integer(int value) {
    long rest = value;
    if (rest < 0) {
      buffer[at++] = '-';
      rest = -rest;
    }
    int digits = 1;
    for (long bound = 10; bound <= rest; bound *= 10) {
      digits++;
    }
    for (int i = at + digits - 1; i >= at; i--) {
      buffer[i] = (byte) ('0' + rest % 10);
      rest /= 10;
    }
    at += digits;
  }

  private void hex(int value) {
    for (int shift = 28; shift >= 0; shift -= 4) {
      buffer[at++] = HEX[value >>> shift & 15];
    }
  }
}
