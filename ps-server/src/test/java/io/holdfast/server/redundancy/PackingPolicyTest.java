package io.holdfast.server.redundancy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class PackingPolicyTest {
  private static final int FLOATS = 1000;

  @Test
  void shouldTryEveryMessageWhilePackingPays() {
    PackingPolicy policy = new PackingPolicy();
    for (int i = 0; i < 300; i++) {
      assertTrue(policy.shouldTry(FLOATS));
      policy.tried(FLOATS);
    }
  }

  @Test
  void shouldTryEverMoreRarelyWhilePackingFails() {
    PackingPolicy policy = new PackingPolicy();
    for (int expected : new int[] {1, 3, 7, 15, 31, 63, 127, 127, 127}) {
      assertTrue(policy.shouldTry(FLOATS));
      policy.tried(-1);
      assertEquals(expected, skipped(policy));
    }
  }

  @Test
  void shouldForgetFailuresAfterOneSuccess() {
    PackingPolicy policy = new PackingPolicy();
    for (int i = 0; i < 5; i++) {
      policy.tried(-1);
      skipped(policy);
    }
    policy.tried(100);
    assertEquals(0, skipped(policy));
    policy.tried(-1);
    assertEquals(1, skipped(policy));
  }

  @Test
  void shouldLeaveShortMessagesAlone() {
    PackingPolicy policy = new PackingPolicy();
    policy.tried(-1);
    assertFalse(policy.shouldTry(63));
    assertEquals(1, skipped(policy), "a short message is not one of those that are skipped");
  }

  /** Messages that go by until one is to be tried. */
  private static int skipped(PackingPolicy policy) {
    int skipped = 0;
    while (!policy.shouldTry(FLOATS)) {
      skipped++;
      assertTrue(skipped < 1000);
    }
    return skipped;
  }
}
