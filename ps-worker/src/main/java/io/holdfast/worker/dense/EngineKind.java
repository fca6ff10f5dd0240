package io.holdfast.worker.dense;

/** The dense engines that can be asked for ({@code dense.engine}). */
public enum EngineKind {
  /** The hand-written step on ND4J's arrays and GEMM: the default, and the fast one. */
  ND4J,
  /** DL4J's ComputationGraph: slower, kept as a second opinion on the numbers. */
  DL4J
}
