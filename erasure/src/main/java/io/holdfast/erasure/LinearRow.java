package io.holdfast.erasure;

import java.util.Arrays;

/**
 * One output of a linear map over GF(2^8): the factors of its inputs.
 *
 * @param coefficients one factor per input, 0 .. 255
 * @param allOnes whether the output is the plain XOR of the inputs
 */
@SuppressWarnings("ArrayRecordComponent") // Never compared, never handed out of the package.
record LinearRow(int[] coefficients, boolean allOnes) {

  static LinearRow[] rowsOf(int[][] matrix) {
    return Arrays.stream(matrix)
        .map(row -> new LinearRow(row, Arrays.stream(row).allMatch(c -> c == 1)))
        .toArray(LinearRow[]::new);
  }
}
