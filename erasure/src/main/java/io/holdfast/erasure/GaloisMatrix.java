package io.holdfast.erasure;

/** Small matrices over GF(2^8), as {@code int[rows][columns]} of 0 .. 255. */
final class GaloisMatrix {

  private GaloisMatrix() {}

  /**
   * The parity rows of the systematic Reed-Solomon code: a Cauchy matrix {@code 1 / (x_i + y_j)}
   * with {@code x_i = 255 - i}, {@code y_j = j}, whose columns and then rows are scaled so that the
   * first row and the first column are all ones. Every square submatrix of a Cauchy matrix is
   * regular and scaling by non-zero factors keeps that, so identity and parity rows together are
   * MDS. A coefficient depends on its row and column only, not on k or r.
   *
   * <p>Source: J. Bloemer et al., "An XOR-based erasure-resilient coding scheme", 1995; the scaling
   * is that of J. S. Plank, L. Xu, "Optimizing Cauchy Reed-Solomon codes", 2006.
   */
  static int[][] parityRows(int dataUnits, int parityUnits) {
    int[][] rows = new int[parityUnits][dataUnits];
    for (int i = 0; i < parityUnits; i++) {
      int rowScale = GaloisField.inverse(scaledByColumn(i, 0));
      for (int j = 0; j < dataUnits; j++) {
        rows[i][j] = GaloisField.multiply(scaledByColumn(i, j), rowScale);
      }
    }
    return rows;
  }

  /** Element (i, j) of the Cauchy matrix over the element of row 0 in the same column. */
  private static int scaledByColumn(int i, int j) {
    return GaloisField.multiply(GaloisField.inverse((255 - i) ^ j), 255 ^ j);
  }

  static int[][] multiply(int[][] a, int[][] b) {
    int[][] product = new int[a.length][b[0].length];
    for (int i = 0; i < a.length; i++) {
      for (int j = 0; j < b[0].length; j++) {
        int sum = 0;
        for (int m = 0; m < b.length; m++) {
          sum ^= GaloisField.multiply(a[i][m], b[m][j]);
        }
        product[i][j] = sum;
      }
    }
    return product;
  }

  /**
   * The inverse by Gauss-Jordan elimination.
   *
   * @throws ArithmeticException if the matrix is singular
   */
  static int[][] invert(int[][] matrix) {
    int n = matrix.length;
    int[][] work = new int[n][];
    int[][] inverse = new int[n][n];
    for (int i = 0; i < n; i++) {
      work[i] = matrix[i].clone();
      inverse[i][i] = 1;
    }
    for (int column = 0; column < n; column++) {
      int pivot = column;
      while (pivot < n && work[pivot][column] == 0) {
        pivot++;
      }
      if (pivot == n) {
        throw new ArithmeticException("the matrix is singular at column " + column);
      }
      swap(work, pivot, column);
      swap(inverse, pivot, column);
      int scale = GaloisField.inverse(work[column][column]);
      scale(work[column], scale);
      scale(inverse[column], scale);
      for (int row = 0; row < n; row++) {
        int factor = work[row][column];
        if (row != column && factor != 0) {
          addMultiple(work[row], work[column], factor);
          addMultiple(inverse[row], inverse[column], factor);
        }
      }
    }
    return inverse;
  }

  private static void swap(int[][] rows, int a, int b) {
    int[] held = rows[a];
    rows[a] = rows[b];
    rows[b] = held;
  }

  private static void scale(int[] row, int factor) {
    for (int j = 0; j < row.length; j++) {
      row[j] = GaloisField.multiply(row[j], factor);
    }
  }

  private static void addMultiple(int[] row, int[] other, int factor) {
    for (int j = 0; j < row.length; j++) {
      row[j] ^= GaloisField.multiply(other[j], factor);
    }
  }
}
