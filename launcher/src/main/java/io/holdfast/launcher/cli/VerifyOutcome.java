package io.holdfast.launcher.cli;

import io.holdfast.launcher.report.ModelVerifyResult;
import io.holdfast.launcher.report.VerifyResult;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.Optional;

/** What a verification came to, for people and as an exit code. */
final class VerifyOutcome {
  private static final int SHOWN = 10;

  private VerifyOutcome() {}

  static int exitCode(Optional<VerifyResult> result) {
    return result.isPresent() && result.get().left() > 0 ? ExitCode.FOUND_WRONG : ExitCode.DONE;
  }

  static int exitCode(ModelVerifyResult result) {
    return result.problem().isPresent() ? ExitCode.FOUND_WRONG : ExitCode.DONE;
  }

  static void print(VerifyResult result, PrintWriter out) {
    out.printf(
        Locale.ROOT,
        "verified    %,d parities over %,d rows and %,d replicas of dense shards in %.1f s: %s%n",
        result.parities(),
        result.rows(),
        result.nnReplicas(),
        result.seconds(),
        words(result));
    if (result.deviation() > 0) {
      out.printf(
          Locale.ROOT,
          "            largest deviation %.1e of the largest value of its stripe%n",
          result.deviation());
    }
    result.wrongMembers().stream()
        .limit(SHOWN)
        .forEach(member -> out.println("wrong       " + words(member)));
    if (result.wrong() > SHOWN) {
      out.println("            the first " + SHOWN + " are shown; --report has more of them");
    }
  }

  private static String words(VerifyResult result) {
    if (result.wrong() == 0) {
      return "all fit";
    }
    return String.format(
        Locale.ROOT,
        "%,d WRONG, %,d located, %,d repaired%s",
        result.wrong(),
        result.located(),
        result.repaired(),
        result.left() == 0 ? "; all fit now" : "");
  }

  private static String words(VerifyResult.WrongPart part) {
    String place = part.position().map(position -> ", position " + position).orElse("");
    return switch (part.kind()) {
      case "row" ->
          "row "
              + part.row().orElse(-1L)
              + " (stripe "
              + part.index()
              + place
              + ") on server-"
              + part.server();
      case "parity" -> "parity of stripe " + part.index() + place + ", on server-" + part.server();
      case "nn-shard" -> "dense shard " + part.index() + ", seen by server-" + part.server();
      default -> "stripe " + part.index() + ", seen by server-" + part.server();
    };
  }

  static void print(ModelVerifyResult result, PrintWriter out) {
    if (result.problem().isPresent()) {
      out.println("WRONG       " + result.problem().get());
      return;
    }
    out.printf(
        Locale.ROOT,
        "verified    %s: %,d rows, %,d bytes in %.1f s: checksums, order, counters and digest"
            + " fit%n",
        result.directory(),
        result.rows(),
        result.bytes(),
        result.seconds());
    out.println("digest      " + result.modelDigest());
  }
}
