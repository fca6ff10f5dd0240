package io.holdfast.erasure;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class GaloisMatrixTest {

  @Test
  void shouldHaveOnesInTheFirstRowAndColumnForEveryCode() {
    for (int r = 1; r < 256; r++) {
      int[][] rows = GaloisMatrix.parityRows(256 - r, r);
      assertTrue(Arrays.stream(rows[0]).allMatch(c -> c == 1), "first row of r=" + r);
      assertTrue(Arrays.stream(rows).allMatch(row -> row[0] == 1), "first column of r=" + r);
    }
  }

  @Test
  void shouldNestSmallerCodesInLargerOnes() {
    int[][] large = GaloisMatrix.parityRows(200, 56);
    int[][] small = GaloisMatrix.parityRows(10, 4);
    for (int i = 0; i < 4; i++) {
      assertArrayEquals(Arrays.copyOf(large[i], 10), small[i]);
    }
  }

  /**
   * A systematic code is MDS exactly if every square submatrix of its parity rows is regular. Since
   * smaller codes are nested, these three enumerations cover every code with k <= 16 and r <= 8,
   * with k <= 60 and r <= 4, and every code with r <= 2.
   */
  @Test
  void shouldBeMdsByEnumerationOfAllSquareSubmatrices() {
    assertEquals(735_470, countRegularSubmatrices(16, 8)); // C(24, 8) - 1
    assertEquals(635_375, countRegularSubmatrices(60, 4)); // C(64, 4) - 1
    assertEquals(32_639, countRegularSubmatrices(254, 2)); // C(256, 2) - 1
  }

  /**
   * The structure that makes it so for every k and r: divided by their first row and column again,
   * elements are those of a Cauchy matrix, {@code 1 / (x_i + y_j)} with 256 different x and y,
   * whose determinants are products of non-zero numbers (Cauchy's formula). Larger codes have no
   * other elements: {@link #shouldNestSmallerCodesInLargerOnes}.
   */
  @Test
  void shouldHaveCauchysDeterminantsForEverySplitOfTheLargestCodes() {
    Random random = new Random(255);
    for (int r = 1; r <= 255; r++) {
      int k = 256 - r;
      int[][] parity = GaloisMatrix.parityRows(k, r);
      for (int round = 0; round < 3; round++) {
        int size = 1 + random.nextInt(Math.min(Math.min(k, r), 40));
        int[] rows = subset(random, r, size);
        int[] columns = subset(random, k, size);
        int expected = 1;
        for (int a = 0; a < size; a++) {
          for (int b = 0; b < size; b++) {
            int inverse = GaloisField.inverse((255 - rows[a]) ^ columns[b]);
            expected = GaloisField.multiply(expected, inverse);
            if (a < b) {
              expected = GaloisField.multiply(expected, rows[a] ^ rows[b]);
              expected = GaloisField.multiply(expected, columns[a] ^ columns[b]);
            }
          }
          // Each row and column was scaled to begin with 1.
          expected = GaloisField.multiply(expected, scale(255 - rows[a], 0, 255));
          expected = GaloisField.multiply(expected, 255 ^ columns[a]);
        }
        int[][] work = new int[size][size];
        for (int a = 0; a < size; a++) {
          for (int b = 0; b < size; b++) {
            work[a][b] = parity[rows[a]][columns[b]];
          }
        }
        assertNotEquals(0, expected);
        assertEquals(expected, determinant(work), "k=%d, r=%d, size %d".formatted(k, r, size));
      }
    }
  }

  /** By how much row x was scaled: its element in column y, once column y was scaled, becomes 1. */
  private static int scale(int x, int y, int firstX) {
    return GaloisField.inverse(GaloisField.multiply(GaloisField.inverse(x ^ y), firstX ^ y));
  }

  /** Different numbers below n, ascending. */
  private static int[] subset(Random random, int n, int size) {
    return random.ints(0, n).distinct().limit(size).sorted().toArray();
  }

  /** With one parity every code is the XOR: any one loss is decoded, for all k. */
  @Test
  void shouldBeTheXorForOneParityAndEveryNumberOfDataUnits() {
    for (int k = 1; k <= 255; k++) {
      assertArrayEquals(new int[][] {ones(k)}, GaloisMatrix.parityRows(k, 1));
    }
  }

  private static int[] ones(int n) {
    int[] ones = new int[n];
    Arrays.fill(ones, 1);
    return ones;
  }

  private static int countRegularSubmatrices(int k, int r) {
    int[][] parity = GaloisMatrix.parityRows(k, r);
    int count = 0;
    for (int rowSet = 1; rowSet < 1 << r; rowSet++) {
      int size = Integer.bitCount(rowSet);
      int[] columns = new int[size];
      for (int i = 0; i < size; i++) {
        columns[i] = i;
      }
      int[][] work = new int[size][size];
      do {
        int row = 0;
        for (int i = 0; i < r; i++) {
          if ((rowSet >> i & 1) == 1) {
            for (int j = 0; j < size; j++) {
              work[row][j] = parity[i][columns[j]];
            }
            row++;
          }
        }
        assertNotEquals(
            0,
            determinant(work),
            () -> "singular submatrix of k=%d, r=%d: %s".formatted(k, r, Arrays.toString(columns)));
        count++;
      } while (nextCombination(columns, k));
    }
    return count;
  }

  /** Destroys its argument. Written apart from the code under test. */
  private static int determinant(int[][] matrix) {
    int n = matrix.length;
    int determinant = 1;
    for (int c = 0; c < n; c++) {
      int pivot = c;
      while (pivot < n && matrix[pivot][c] == 0) {
        pivot++;
      }
      if (pivot == n) {
        return 0;
      }
      int[] pivotRow = matrix[pivot];
      matrix[pivot] = matrix[c];
      matrix[c] = pivotRow;
      determinant = GaloisField.multiply(determinant, pivotRow[c]);
      int inverse = GaloisField.inverse(pivotRow[c]);
      for (int i = c + 1; i < n; i++) {
        int factor = GaloisField.multiply(matrix[i][c], inverse);
        for (int j = c; j < n; j++) {
          matrix[i][j] ^= GaloisField.multiply(factor, pivotRow[j]);
        }
      }
    }
    return determinant;
  }

  private static boolean nextCombination(int[] columns, int n) {
    int size = columns.length;
    int i = size - 1;
    while (i >= 0 && columns[i] == n - size + i) {
      i--;
    }
    if (i < 0) {
      return false;
    }
    columns[i]++;
    for (int j = i + 1; j < size; j++) {
      columns[j] = columns[j - 1] + 1;
    }
    return true;
  }

  @Test
  void shouldInvertRandomRegularMatrices() {
    long seed = 20_261_121;
    System.out.println("GaloisMatrixTest seed " + seed);
    Random random = new Random(seed);
    int inverted = 0;
    for (int round = 0; round < 200; round++) {
      int n = 1 + random.nextInt(12);
      int[][] matrix = new int[n][n];
      int[][] copy = new int[n][];
      for (int i = 0; i < n; i++) {
        matrix[i] = random.ints(n, 0, 256).toArray();
        copy[i] = matrix[i].clone();
      }
      if (determinant(copy) == 0) {
        assertThrows(ArithmeticException.class, () -> GaloisMatrix.invert(matrix));
        continue;
      }
      int[][] product = GaloisMatrix.multiply(matrix, GaloisMatrix.invert(matrix));
      for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
          assertEquals(i == j ? 1 : 0, product[i][j]);
        }
      }
      inverted++;
    }
    assertTrue(inverted > 150, "only %d of 200 were regular".formatted(inverted));
  }

  @Test
  void shouldRefuseSingularMatrices() {
    int[][] singular = {{1, 2, 3}, {4, 5, 6}, {5, 7, 5}}; // The third row is the sum of the others.
    assertThrows(ArithmeticException.class, () -> GaloisMatrix.invert(singular));
  }
}
