package io.holdfast.worker.dense;

import org.nd4j.linalg.factory.Nd4j;

/** Process-wide settings of ND4J and of the native libraries under it. */
final class Nd4jRuntime {
  static {
    // JavaCPP compares the whole process's resident memory with the Java heap's size and throws
    // when
    // it is larger; our tables lie outside the heap and are larger on purpose.
    setIfAbsent("org.bytedeco.javacpp.maxbytes", "0");
    setIfAbsent("org.bytedeco.javacpp.maxphysicalbytes", "0");
    Nd4j.getMemoryManager().togglePeriodicGc(false);
    Nd4j.getMemoryManager().setOccasionalGcFrequency(0);
  }

  private Nd4jRuntime() {}

  private static void setIfAbsent(String key, String value) {
    if (System.getProperty(key) == null) {
      System.setProperty(key, value);
    }
  }

  /** Loads ND4J with our settings, and sets the threads that each call of its BLAS may use. */
  static void start(int blasThreads) {
    Nd4j.factory().blas().setMaxThreads(blasThreads);
  }
}
