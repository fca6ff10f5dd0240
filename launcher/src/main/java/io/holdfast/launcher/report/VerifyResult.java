package io.holdfast.launcher.report;

import io.holdfast.worker.ScrubFindings;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * What comparing a cluster's parities and replicas with what they protect came to.
 *
 * @param seconds that it took
 * @param parities compared with their stripes; stripes without an updated row are left out
 * @param rows of these stripes that were ever updated
 * @param nnReplicas copies of dense shards compared with their primaries
 * @param wrong parities and replicas that did not fit
 * @param located of these, those whose wrong member is known
 * @param repaired of these, those that were put right
 * @param deviation largest difference relative to the largest value of its stripe
 * @param wrongMembers the first ones
 */
public record VerifyResult(
    double seconds,
    long parities,
    long rows,
    long nnReplicas,
    long wrong,
    long located,
    long repaired,
    double deviation,
    List<WrongPart> wrongMembers) {
  public VerifyResult {
    wrongMembers = List.copyOf(wrongMembers);
  }

  /**
   * A member that is not as it should be.
   *
   * @param kind {@code row}, {@code parity}, {@code stripe} (which member is not known) or {@code
   *     nn-shard}
   * @param index the stripe, or the shard
   * @param position in the stripe: rows, then parities
   * @param row of all tables together
   * @param server that has it, or that found it
   */
  public record WrongPart(
      String kind, long index, Optional<Integer> position, Optional<Long> row, int server) {}

  /** As reports tell it. */
  public static VerifyResult of(ScrubFindings findings, double seconds) {
    return new VerifyResult(
        seconds,
        findings.parities(),
        findings.rows(),
        findings.nnReplicas(),
        findings.wrong(),
        findings.located(),
        findings.repaired(),
        findings.deviation(),
        findings.members().stream()
            .map(
                member ->
                    new WrongPart(
                        member.kind().name().toLowerCase(Locale.ROOT).replace('_', '-'),
                        member.index(),
                        Optional.of(member.position()).filter(position -> position >= 0),
                        Optional.of(member.row()).filter(row -> row >= 0),
                        member.server()))
            .toList());
  }

  /** How many are wrong still. */
  public long left() {
    return wrong - repaired;
  }
}
