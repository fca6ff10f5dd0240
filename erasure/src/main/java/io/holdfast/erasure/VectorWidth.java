package io.holdfast.erasure;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;
import jdk.incubator.vector.VectorShape;

/** How wide the vectors of {@link VectorKernels} are. */
final class VectorWidth {

  static final int MIN_BITS = 128;
  private static final int MAX_BITS = 512;
  private static final Pattern VBMI_FLAG = Pattern.compile("\\bavx512_?vbmi\\b");

  private VectorWidth() {}

  /**
   * The width in bits: what the system property asks for, else the widest that looks up bytes fast.
   */
  static int bits() {
    String asked = System.getProperty(KernelChoice.PROPERTY, "auto");
    if (asked.startsWith("vector-")) {
      return Integer.parseInt(asked.substring("vector-".length()));
    }
    int preferred = Math.min(MAX_BITS, VectorShape.preferredShape().vectorBitSize());
    return preferred == MAX_BITS && isX86() && !hasByteLookupOf512Bits() ? MAX_BITS / 2 : preferred;
  }

  private static boolean isX86() {
    String architecture = System.getProperty("os.arch");
    return architecture.equals("amd64") || architecture.equals("x86_64");
  }

  /**
   * Whether the processor has AVX-512 VBMI. Without it, C2 does not compile a look-up of 64 bytes
   * to an instruction, and each vector would become an object.
   */
  private static boolean hasByteLookupOf512Bits() {
    try {
      return VBMI_FLAG.matcher(Files.readString(Path.of("/proc/cpuinfo"))).find();
    } catch (IOException e) {
      return false; // Not Linux: 256 bits are right on every x86 processor with AVX2.
    }
  }
}
