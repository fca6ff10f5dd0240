package io.holdfast.erasure;

/**
 * Chooses the inner loops once, when the first code is made: vectors if the JVM has them, else
 * scalar. The system property {@value #PROPERTY} decides otherwise: {@code auto}, {@code scalar},
 * {@code vector} (fails if it cannot be had), {@code vector-128}, {@code vector-256} or {@code
 * vector-512}.
 */
final class KernelChoice {

  static final String PROPERTY = "holdfast.erasure.kernels";
  private static final String VECTOR_MODULE = "jdk.incubator.vector";

  static final Kernels KERNELS;
  static final String DESCRIPTION;

  static {
    String asked = System.getProperty(PROPERTY, "auto");
    switch (asked) {
      case "scalar" -> {
        KERNELS = new ScalarKernels();
        DESCRIPTION = "scalar (asked for by -D" + PROPERTY + ")";
      }
      case "auto" -> {
        String obstacle = obstacleToVectors();
        KERNELS = obstacle == null ? new VectorKernels() : new ScalarKernels();
        DESCRIPTION =
            obstacle == null ? KERNELS.name() : "%s (%s)".formatted(KERNELS.name(), obstacle);
      }
      case "vector", "vector-128", "vector-256", "vector-512" -> {
        String obstacle = obstacleToVectors();
        if (obstacle != null) {
          throw new IllegalStateException("-D" + PROPERTY + "=" + asked + ": " + obstacle);
        }
        KERNELS = new VectorKernels();
        DESCRIPTION = KERNELS.name();
      }
      default ->
          throw new IllegalArgumentException(
              "-D%s=%s: must be auto, scalar, vector, vector-128, vector-256 or vector-512"
                  .formatted(PROPERTY, asked));
    }
  }

  private KernelChoice() {}

  /** Why vectors cannot be used here, or null if they can. */
  private static String obstacleToVectors() {
    if (ModuleLayer.boot().findModule(VECTOR_MODULE).isEmpty()) {
      return "the JVM was started without --add-modules=" + VECTOR_MODULE;
    }
    if (!KernelChoice.class.getModule().isNativeAccessEnabled()) {
      return "the JVM was started without --enable-native-access";
    }
    if (VectorWidth.bits() < VectorWidth.MIN_BITS) {
      return "the processor's vectors are shorter than %d bits".formatted(VectorWidth.MIN_BITS);
    }
    return null;
  }
}
