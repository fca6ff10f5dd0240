package io.holdfast.worker.dense;

import static org.bytedeco.openblas.global.openblas_nolapack.CblasColMajor;
import static org.bytedeco.openblas.global.openblas_nolapack.CblasNoTrans;
import static org.bytedeco.openblas.global.openblas_nolapack.CblasTrans;
import static org.bytedeco.openblas.global.openblas_nolapack.cblas_sgemm;

import java.lang.foreign.MemorySegment;
import org.bytedeco.javacpp.FloatPointer;
import org.nd4j.linalg.api.concurrency.AffinityManager;
import org.nd4j.linalg.api.concurrency.AffinityManager.Location;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A contiguous column-major matrix in a {@link FloatArray}.
 *
 * @param memory the whole array, for loops
 * @param offset index of the matrix's first element in it
 * @param matrix the same elements, for ND4J
 * @param pointer the first element, for OpenBLAS
 */
record Block(
    MemorySegment memory,
    long offset,
    int rows,
    int columns,
    INDArray matrix,
    FloatPointer pointer) {

  private static final boolean ON_CPU = Nd4j.getEnvironment().isCPU();

  /** {@code result = op(a) op(b)}, {@code op} being the transpose where asked for. */
  static void multiply(Block a, boolean transposeA, Block b, boolean transposeB, Block result) {
    if (ON_CPU) {
      multiplyByOpenBlas(a, transposeA, b, transposeB, result);
    } else {
      multiplyByNd4j(a, transposeA, b, transposeB, result);
    }
  }

  /**
   * The call that ND4J's CPU backend makes in the end, without the operation object, the native
   * context and the 15 to 30 microseconds of each {@link Nd4j#gemm}.
   */
  static void multiplyByOpenBlas(
      Block a, boolean transposeA, Block b, boolean transposeB, Block result) {
    cblas_sgemm(
        CblasColMajor,
        transposeA ? CblasTrans : CblasNoTrans,
        transposeB ? CblasTrans : CblasNoTrans,
        result.rows,
        result.columns,
        transposeA ? a.rows : a.columns,
        1,
        a.pointer,
        a.rows,
        b.pointer,
        b.rows,
        0,
        result.pointer,
        result.rows);
  }

  /**
   * For every backend. The loops between two GEMMs write host memory behind ND4J's back; on a GPU
   * the tags make it upload the operands and download the result.
   */
  static void multiplyByNd4j(
      Block a, boolean transposeA, Block b, boolean transposeB, Block result) {
    AffinityManager affinity = Nd4j.getAffinityManager();
    affinity.tagLocation(a.matrix, Location.HOST);
    affinity.tagLocation(b.matrix, Location.HOST);
    Nd4j.gemm(a.matrix, b.matrix, result.matrix, transposeA, transposeB, 1, 0);
    affinity.ensureLocation(result.matrix, Location.HOST);
  }
}
