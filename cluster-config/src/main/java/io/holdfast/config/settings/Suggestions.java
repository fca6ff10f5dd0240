package io.holdfast.config.settings;

import java.util.Collection;
import java.util.Comparator;
import java.util.Locale;
import java.util.Optional;

/** Finds what a misspelt word was probably meant to be. */
public final class Suggestions {
  private Suggestions() {}

  /**
   * The nearest of the known words, if any is near: by the number of inserted, removed, replaced or
   * swapped letters (optimal string alignment), where {@code - _ .} and case make no difference and
   * a missing or surplus dotted part counts as one.
   */
  public static Optional<String> nearest(String word, Collection<String> known) {
    String wanted = normal(word);
    int limit = Math.max(1, wanted.length() / 3);
    return known.stream()
        .filter(candidate -> distance(wanted, normal(candidate)) <= limit)
        .min(Comparator.comparingInt(candidate -> distance(wanted, normal(candidate))));
  }

  /** {@code "; did you mean 'batch'?"}, or nothing. */
  public static String didYouMean(String word, Collection<String> known) {
    return nearest(word, known).map(near -> "; did you mean '" + near + "'?").orElse("");
  }

  private static String normal(String word) {
    return word.toLowerCase(Locale.ROOT).replace('-', '.').replace('_', '.');
  }

  private static int distance(String a, String b) {
    String dottedA = "." + a + ".";
    String dottedB = "." + b + ".";
    if (!a.equals(b) && (dottedA.contains(dottedB) || dottedB.contains(dottedA))) {
      return 1;
    }
    return editDistance(a, b);
  }

  static int editDistance(String a, String b) {
    int[][] cost = new int[a.length() + 1][b.length() + 1];
    for (int i = 0; i <= a.length(); i++) {
      for (int j = 0; j <= b.length(); j++) {
        if (i == 0 || j == 0) {
          cost[i][j] = i + j;
          continue;
        }
        int replace = cost[i - 1][j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        cost[i][j] = Math.min(replace, 1 + Math.min(cost[i - 1][j], cost[i][j - 1]));
        if (i > 1
            && j > 1
            && a.charAt(i - 1) == b.charAt(j - 2)
            && a.charAt(i - 2) == b.charAt(j - 1)) {
          cost[i][j] = Math.min(cost[i][j], cost[i - 2][j - 2] + 1);
        }
      }
    }
    return cost[a.length()][b.length()];
  }
}
