package io.holdfast.criteo.synthetic;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

class SyntheticCriteoTest {
  private static final int ROWS = 100_000;
  private final SyntheticRow row = new SyntheticRow();

  @Test
  void shouldDependOnSeedsAndIndexOnly() {
    SyntheticCriteo world = new SyntheticCriteo(5);
    SyntheticCriteo same = new SyntheticCriteo(5);
    SyntheticCriteo other = new SyntheticCriteo(6);
    SyntheticCriteo otherModel = new SyntheticCriteo(5, 1);
    SyntheticRow again = new SyntheticRow();
    int equal = 0;
    for (int i = 99; i >= 0; i--) {
      world.generate(i, row);
      same.generate(i, again);
      assertEquals(row.probability(), again.probability());
      assertEquals(row.click(), again.click());
      for (int column = 0; column < 26; column++) {
        assertEquals(row.category(column), again.category(column));
      }
      equal += row.probability() == other.probability(i) ? 1 : 0;
      equal += row.probability() == otherModel.probability(i) ? 1 : 0;
      assertEquals(row.probability(), world.probability(i));
    }
    assertEquals(0, equal);
    world.generate(0, row);
    other.generate(0, again);
    assertEquals(world.value(3, 17), other.value(3, 17), "seeds share the categories' values");
    assertNotEquals(world.value(3, 17), otherModel.value(3, 17));
  }

  @Test
  void shouldHaveThePublishedShape() {
    SyntheticCriteo world = new SyntheticCriteo(1);
    int[] integerMissing = new int[13];
    int[] categoryMissing = new int[26];
    int[] first = new int[26];
    int[] firstTen = new int[26];
    Set<Long> distinct = new HashSet<>();
    int clicks = 0;
    double probabilities = 0;
    for (int i = 0; i < ROWS; i++) {
      world.generate(i, row);
      for (int column = 0; column < 13; column++) {
        integerMissing[column] += row.integerMissing(column) ? 1 : 0;
      }
      for (int column = 0; column < 26; column++) {
        categoryMissing[column] += row.rank(column) < 0 ? 1 : 0;
        first[column] += row.rank(column) == 0 ? 1 : 0;
        firstTen[column] += row.rank(column) >= 0 && row.rank(column) < 10 ? 1 : 0;
        assertTrue(row.rank(column) < KaggleShape.values(column));
      }
      distinct.add(row.rank(2));
      clicks += row.click() ? 1 : 0;
      probabilities += row.probability();
    }
    for (int column = 0; column < 13; column++) {
      assertEquals(
          KaggleShape.integerMissing(column), integerMissing[column] / (double) ROWS, 0.01);
    }
    for (int column = 0; column < 26; column++) {
      assertEquals(
          KaggleShape.categoryMissing(column), categoryMissing[column] / (double) ROWS, 0.01);
    }
    // Published for C1, C2, C9 and C26: share of the first value, and of the first ten.
    assertEquals(0.50, share(first[0]), 0.03);
    assertEquals(0.91, share(firstTen[0]), 0.03);
    assertEquals(0.13, share(first[1]), 0.05);
    assertEquals(0.43, share(firstTen[1]), 0.05);
    assertEquals(0.885, share(first[8]), 0.03);
    assertTrue(distinct.size() > ROWS / 3, "C3 has only " + distinct.size() + " values");
    assertTrue(clicks > 0.22 * ROWS && clicks < 0.26 * ROWS, clicks + " clicks");
    assertEquals(probabilities, clicks, 4 * Math.sqrt(0.25 * ROWS));
  }

  private static double share(int count) {
    return count / (double) ROWS;
  }

  @Test
  void shouldGiveEveryRankItsOwnRowOfAFullTable() {
    SyntheticCriteo world = new SyntheticCriteo(1);
    for (int column = 0; column < 26; column++) {
      int cardinality = KaggleShape.cardinality(column);
      int values = Math.min(20_000, KaggleShape.values(column));
      Set<Long> rows = new HashSet<>();
      for (int rank = 0; rank < values; rank++) {
        int value = world.value(column, rank);
        assertNotEquals(0, value);
        rows.add(Integer.toUnsignedLong(value) % cardinality);
      }
      assertEquals(values, rows.size(), "column " + column);
      boolean hasMissing = KaggleShape.categoryMissing(column) > 0;
      assertTrue(!hasMissing || !rows.contains(0L), "row 0 of column " + column);
    }
  }

  @Test
  void shouldDrawRanksByZipfsLaw() {
    RowRandom random = new RowRandom();
    random.start(8, 0);
    ZipfSampler small = new ZipfSampler(50, 1.3);
    double sum = 0;
    int[] counts = new int[50];
    for (int i = 0; i < ROWS; i++) {
      counts[(int) small.draw(random)]++;
    }
    for (int rank = 0; rank < 50; rank++) {
      double expected = ROWS * small.probability(rank);
      sum += small.probability(rank);
      assertEquals(expected, counts[rank], 5 * Math.sqrt(expected), "rank " + rank);
    }
    assertEquals(1, sum, 1e-12);
    ZipfSampler large = new ZipfSampler(100_000, 1.02);
    double exact = 0;
    double beyond = 0;
    for (int rank = 0; rank < 100_000; rank++) {
      exact += large.probability(rank);
      beyond += rank >= 20_000 ? large.probability(rank) : 0;
    }
    assertEquals(1, exact, 1e-7);
    int drawn = 0;
    for (int i = 0; i < ROWS; i++) {
      drawn += large.draw(random) >= 20_000 ? 1 : 0;
    }
    assertEquals(ROWS * beyond, drawn, 5 * Math.sqrt(ROWS * beyond));
  }
}
