package io.holdfast.criteo;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * Parses one line from bytes into primitive arrays, without allocating.
 *
 * <p>Strict: exactly 40 columns; the label 0 or 1; integers empty or an optional minus and 1 to 10
 * digits within 32 bits; categories empty or 1 to 8 hexadecimal digits. Lines end with LF or CR LF.
 * Why a line is refused is found out by {@link LineDiagnosis}, which is slow and independent.
 */
final class LineParser {
  /** log(1+x) of all integers below its length: small ones are by far the most frequent. */
  private static final float[] LOG1P = new float[1 << 14];

  private static final VarHandle LONGS =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);
  private static final byte[] HEX = new byte[256];
  private static final long EACH = 0x0101010101010101L;
  private static final long HIGH_BITS = 0x8080808080808080L;

  static {
    for (int i = 0; i < LOG1P.length; i++) {
      LOG1P[i] = (float) StrictMath.log(1.0 + i);
    }
    java.util.Arrays.fill(HEX, (byte) -1);
    for (int digit = 0; digit < 16; digit++) {
      HEX["0123456789abcdef".charAt(digit)] = (byte) digit;
      HEX["0123456789ABCDEF".charAt(digit)] = (byte) digit;
    }
  }

  private LineParser() {}

  /**
   * What the model sees of an integer: log(1+x), 0 for negative ones. The same on every machine.
   */
  static float log1p(int value) {
    if (value <= 0) {
      return 0f;
    }
    return value < LOG1P.length ? LOG1P[value] : (float) StrictMath.log(1.0 + value);
  }

  /**
   * Parses the line at {@code at}, which must end with a line feed somewhere in the buffer, or be
   * followed by at least {@link CriteoFormat#MAX_LINE_BYTES} more bytes; 8 bytes behind it must be
   * readable.
   *
   * @param sample index of the sample to fill
   * @param ids receives the raw category values
   * @return index behind the line feed, or -1 if the line is bad (the sample is then garbage)
   */
  static int parse(byte[] buffer, int at, int sample, float[] labels, float[] dense, int[] ids) {
    int label = buffer[at] - '0';
    if ((label & ~1) != 0 || buffer[at + 1] != '\t') {
      return -1;
    }
    labels[sample] = label;
    int next = at + 2;
    int target = sample * CriteoFormat.INTEGERS;
    for (int last = target + CriteoFormat.INTEGERS; target < last; target++) {
      int digit = buffer[next++] - '0';
      if (digit == '\t' - '0') {
        dense[target] = 0f;
        continue;
      }
      boolean negative = digit == '-' - '0';
      if (negative) {
        digit = buffer[next++] - '0';
      }
      if (digit < 0 || digit > 9) {
        return -1;
      }
      long value = digit;
      int first = next;
      for (digit = buffer[next++] - '0'; digit >= 0 && digit <= 9; digit = buffer[next++] - '0') {
        value = value * 10 + digit;
        if (next - first > 9) {
          return -1;
        }
      }
      if (digit != '\t' - '0') {
        return -1;
      }
      if (negative) {
        value = -value;
      }
      if (value != (int) value) {
        return -1;
      }
      dense[target] = log1p((int) value);
    }
    int to = sample * CriteoFormat.CATEGORIES;
    for (int last = to + CriteoFormat.CATEGORIES - 1; to < last; to++) {
      if (buffer[next + 8] == '\t') {
        long chars = (long) LONGS.get(buffer, next);
        if (isHex(chars)) {
          ids[to] = hex(chars);
          next += 9;
          continue;
        }
      }
      next = shortCategory(buffer, next, ids, to);
      if (next < 0 || buffer[next++] != '\t') {
        return -1;
      }
    }
    next = shortCategory(buffer, next, ids, to);
    if (next < 0) {
      return -1;
    }
    if (buffer[next] == '\r') {
      next++;
    }
    return buffer[next] == '\n' ? next + 1 : -1;
  }

  /** Parses 0 to 8 digits; returns the index behind them, or -1 if there are more. */
  private static int shortCategory(byte[] buffer, int at, int[] ids, int to) {
    int value = 0;
    int next = at;
    for (int digit = HEX[buffer[next] & 0xff]; digit >= 0; digit = HEX[buffer[next] & 0xff]) {
      if (next - at == 8) {
        return -1;
      }
      value = value << 4 | digit;
      next++;
    }
    ids[to] = value;
    return next;
  }

  /**
   * Whether all eight characters are hexadecimal digits. With every byte below 0x80, adding 0x80 -
   * c to a byte sets its high bit exactly if the byte is at least c, and nothing carries over.
   */
  static boolean isHex(long chars) {
    long lower = chars | 0x20 * EACH;
    long digits = (chars + (0x80 - '0') * EACH) & ~(chars + (0x80 - '9' - 1) * EACH);
    long letters = (lower + (0x80 - 'a') * EACH) & ~(lower + (0x80 - 'f' - 1) * EACH);
    return ((digits | letters) & ~chars & HIGH_BITS) == HIGH_BITS && (chars & HIGH_BITS) == 0;
  }

  /** The value of eight hexadecimal digits, the first in the highest byte. */
  static int hex(long chars) {
    long nibbles = (chars & 0x0f * EACH) + 9 * (chars >>> 6 & EACH);
    long bytes = (nibbles | nibbles >>> 4) & 0x00ff00ff00ff00ffL;
    long shorts = (bytes | bytes >>> 8) & 0x0000ffff0000ffffL;
    return (int) (shorts | shorts >>> 16);
  }
}
