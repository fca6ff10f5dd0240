package io.holdfast.erasure;

import java.util.Arrays;
import java.util.stream.Collectors;

/** The erasure codes that exist. {@link ErasureCodes#create} makes one of a kind. */
public enum CodeKind {
  /** Bytewise exclusive or of all data units; exactly one parity. */
  XOR("xor"),
  /** Reed-Solomon over GF(2^8); any number of parities; with one parity the same bytes as XOR. */
  REED_SOLOMON("rs"),
  /**
   * The float32 sum of ECRM's paper; exactly one parity. Lossy: sums round, so decoded values
   * drift, and one NaN or infinity poisons its stripe. Kept for comparison only.
   */
  FLOAT_SUM("sum");

  private final String settingName;

  CodeKind(String settingName) {
    this.settingName = settingName;
  }

  /** The name in settings and reports: {@code xor}, {@code rs} or {@code sum}. */
  public String settingName() {
    return settingName;
  }

  /**
   * The kind of that name.
   *
   * @throws IllegalArgumentException if no kind has that name; the message lists those that exist
   */
  public static CodeKind ofSettingName(String name) {
    for (CodeKind kind : values()) {
      if (kind.settingName.equals(name)) {
        return kind;
      }
    }
    throw new IllegalArgumentException(
        "unknown code '%s'; known codes are %s"
            .formatted(
                name,
                Arrays.stream(values())
                    .map(CodeKind::settingName)
                    .collect(Collectors.joining(", "))));
  }
}
