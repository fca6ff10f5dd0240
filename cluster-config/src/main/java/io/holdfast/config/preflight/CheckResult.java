package io.holdfast.config.preflight;

/**
 * What one check found.
 *
 * @param name of the check, the same on every host
 * @param status how it went
 * @param found what is there
 * @param advice what to do; empty if all is well
 */
public record CheckResult(String name, CheckStatus status, String found, String advice) {
  static CheckResult ok(String name, String found) {
    return new CheckResult(name, CheckStatus.OK, found, "");
  }

  static CheckResult warn(String name, String found, String advice) {
    return new CheckResult(name, CheckStatus.WARN, found, advice);
  }

  static CheckResult fail(String name, String found, String advice) {
    return new CheckResult(name, CheckStatus.FAIL, found, advice);
  }
}
