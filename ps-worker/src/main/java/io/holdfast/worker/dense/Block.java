package io.holdfast.worker.dense;

import java.lang.foreign.MemorySegment;
import org.nd4j.linalg.api.concurrency.AffinityManager;
import org.nd4j.linalg.api.concurrency.AffinityManager.Location;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A contiguous column-major matrix in a {@link FloatArray}.
 *
 * @param memory the whole array, for loops
 * @param offset index of the matrix's first element in it
 * @param matrix the same elements, for GEMM
 */
record Block(MemorySegment memory, long offset, int rows, int columns, INDArray matrix) {

  /**
   * {@code result = op(a) op(b)}, {@code op} being the transpose where asked for.
   *
   * <p>The loops between two GEMMs write host memory behind ND4J's back. On a GPU backend the tags
   * make it upload the operands and download the result; on the CPU backend they do nothing.
   */
  static void multiply(Block a, boolean transposeA, Block b, boolean transposeB, Block result) {
    AffinityManager affinity = Nd4j.getAffinityManager();
    affinity.tagLocation(a.matrix, Location.HOST);
    affinity.tagLocation(b.matrix, Location.HOST);
    Nd4j.gemm(a.matrix, b.matrix, result.matrix, transposeA, transposeB, 1, 0);
    affinity.ensureLocation(result.matrix, Location.HOST);
  }
}
