package io.holdfast.server.transaction;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Set;
import org.junit.jupiter.api.Test;

class TransactionStateTest {
  /** The arrows of the diagram. */
  private static final Set<String> ARROWS =
      Set.of(
          "STAGING STAGED",
          "STAGING DROPPED",
          "STAGED COMMITTED",
          "STAGED DROPPED",
          "COMMITTED APPLYING",
          "APPLYING APPLIED");

  @Test
  void shouldAllowTheArrowsOfTheDiagramAndNoOther() {
    for (TransactionState from : TransactionState.values()) {
      for (TransactionState to : TransactionState.values()) {
        if (ARROWS.contains(from + " " + to)) {
          assertEquals(to, from.to(to));
        } else {
          assertThrows(IllegalStateException.class, () -> from.to(to), from + " " + to);
        }
      }
    }
  }
}
