package io.holdfast.config.settings;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class SuggestionsTest {
  @Test
  void shouldCountInsertedRemovedReplacedAndSwappedLetters() {
    assertEquals(0, Suggestions.editDistance("batch", "batch"));
    assertEquals(1, Suggestions.editDistance("bacth", "batch"));
    assertEquals(1, Suggestions.editDistance("btch", "batch"));
    assertEquals(1, Suggestions.editDistance("baatch", "batch"));
    assertEquals(1, Suggestions.editDistance("patch", "batch"));
    assertEquals(3, Suggestions.editDistance("kitten", "sitting"));
    assertEquals(5, Suggestions.editDistance("", "batch"));
  }

  @Test
  void shouldPreferTheNearer() {
    assertEquals(Optional.of("rate"), Suggestions.nearest("ratr", List.of("tate", "rate", "data")));
    assertEquals(Optional.empty(), Suggestions.nearest("zzz", List.of("rate")));
  }
}
