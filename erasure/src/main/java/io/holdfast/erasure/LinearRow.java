package io.holdfast.erasure;

import java.util.Arrays;

/**
 * One output of a linear map over GF(2^8): the factors of its inputs.
 *
 * @param coefficients one factor per input, 0 .. 255
 * @param allOnes whether the output is the plain XOR of the inputs
 * @param combined tables of {@link CombinedLoops} for whole groups of four inputs; null where these
 *     loops cannot be used
 */
@SuppressWarnings("ArrayRecordComponent") // Never compared, never handed out of the package.
record LinearRow(int[] coefficients, boolean allOnes, byte[] combined) {

  static LinearRow[] rowsOf(int[][] matrix, Kernels kernels) {
    return Arrays.stream(matrix)
        .map(
            row ->
                new LinearRow(
                    row,
                    Arrays.stream(row).allMatch(c -> c == 1),
                    kernels.combines() ? CombinedLoops.tables(row) : null))
        .toArray(LinearRow[]::new);
  }
}
