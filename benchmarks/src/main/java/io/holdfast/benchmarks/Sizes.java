package io.holdfast.benchmarks;

import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Bytes as people write them: {@code 32k}, {@code 8m}, {@code 1g}, {@code 4096}. */
final class Sizes implements ITypeConverter<Long> {
  @Override
  public Long convert(String text) {
    int shift =
        switch (text.isEmpty() ? ' ' : Character.toLowerCase(text.charAt(text.length() - 1))) {
          case 'k' -> 10;
          case 'm' -> 20;
          case 'g' -> 30;
          default -> 0;
        };
    try {
      long number = Long.parseLong(shift == 0 ? text : text.substring(0, text.length() - 1));
      if (number < 1 || number > Long.MAX_VALUE >> 30) {
        throw new TypeConversionException("'" + text + "' must be positive");
      }
      return number << shift;
    } catch (NumberFormatException e) {
      throw new TypeConversionException("'" + text + "' is no size; write 4096, 32k, 8m or 1g");
    }
  }

  /** {@code 32k}, {@code 8m}, {@code 1g}. */
  static String name(long bytes) {
    for (int shift = 30; shift > 0; shift -= 10) {
      if (bytes >= 1L << shift && bytes % (1L << shift) == 0) {
        return (bytes >> shift)
            + switch (shift) {
              case 30 -> "g";
              case 20 -> "m";
              default -> "k";
            };
      }
    }
    return Long.toString(bytes);
  }
}
