package io.holdfast.criteo;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;

/**
 * Says why a line is bad.
 *
 * @param column one-based column of the first fault
 * @param reason what is wrong
 */
record LineDiagnosis(int column, String reason) {
  private static final BigInteger MIN = BigInteger.valueOf(Integer.MIN_VALUE);
  private static final BigInteger MAX = BigInteger.valueOf(Integer.MAX_VALUE);

  /**
   * Examines the line at {@code from}.
   *
   * @param end end of the buffer's content; a line is looked at up to there at most
   * @return its first fault, or null if there is none
   */
  static LineDiagnosis of(byte[] buffer, int from, int end) {
    int lineEnd = from;
    while (lineEnd < end && buffer[lineEnd] != '\n') {
      lineEnd++;
    }
    if (lineEnd > from && buffer[lineEnd - 1] == '\r') {
      lineEnd--;
    }
    if (lineEnd == from) {
      return new LineDiagnosis(1, "the line is empty");
    }
    String line = new String(buffer, from, lineEnd - from, StandardCharsets.ISO_8859_1);
    String[] fields = line.split("\t", -1);
    for (int i = 0; i < Math.min(fields.length, CriteoFormat.COLUMNS); i++) {
      String reason = fault(i + 1, fields[i]);
      if (reason != null) {
        return new LineDiagnosis(i + 1, reason);
      }
    }
    if (fields.length != CriteoFormat.COLUMNS) {
      return new LineDiagnosis(
          Math.min(fields.length, CriteoFormat.COLUMNS),
          "the line has " + fields.length + " columns, must have " + CriteoFormat.COLUMNS);
    }
    return null;
  }

  private static String fault(int column, String field) {
    if (column == 1) {
      return field.equals("0") || field.equals("1")
          ? null
          : "label is " + quote(field) + ", must be 0 or 1";
    }
    if (field.isEmpty()) {
      return null;
    }
    if (column > 1 + CriteoFormat.INTEGERS) {
      return field.matches("[0-9a-fA-F]{1,8}")
          ? null
          : quote(field) + " is not 1 to 8 hexadecimal digits";
    }
    if (!field.matches("-?[0-9]+")) {
      return quote(field) + " is not an integer";
    }
    if (field.length() > (field.startsWith("-") ? 11 : 10)) {
      return quote(field) + " has more than 10 digits: it does not fit into 32 bits";
    }
    BigInteger value = new BigInteger(field);
    return value.compareTo(MIN) < 0 || value.compareTo(MAX) > 0
        ? quote(field) + " does not fit into 32 bits"
        : null;
  }

  /** A field, cut short, with unprintable characters shown as {@code \xNN}. */
  private static String quote(String field) {
    StringBuilder quoted = new StringBuilder("'");
    field
        .chars()
        .limit(40)
        .forEach(
            c -> {
              if (c >= ' ' && c < 0x7f) {
                quoted.append((char) c);
              } else {
                quoted.append("\\x%02x".formatted(c));
              }
            });
    return quoted.append(field.length() > 40 ? "...'" : "'").toString();
  }
}
