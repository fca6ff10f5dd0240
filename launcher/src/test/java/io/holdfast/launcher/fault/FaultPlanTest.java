package io.holdfast.launcher.fault;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class FaultPlanTest {
  @Test
  void shouldDrawTheSameFaultsFromTheSameSeedAndKillNobodyTwice() {
    List<FaultSpec> plan = FaultPlan.kills(new SplittableRandom(7), 10, 5, 9);
    assertEquals(plan, FaultPlan.kills(new SplittableRandom(7), 10, 5, 9));
    assertNotEquals(plan, FaultPlan.kills(new SplittableRandom(8), 10, 5, 9));
    assertEquals(5, plan.size());
    assertEquals(5, plan.stream().map(FaultSpec::target).distinct().count());
  }

  @Test
  void shouldLeaveTheMeanTimeBetweenFaults() {
    List<FaultSpec> plan = FaultPlan.pauses(new SplittableRandom(7), 2, 3, 2, 4000, 900);
    assertEquals(8000e9, plan.getLast().trigger().value(), 500e9);
    assertTrue(plan.stream().allMatch(each -> each.durationNanos().orElseThrow() <= 900_000_000L));
    assertEquals(5, plan.stream().map(FaultSpec::target).distinct().count());
  }
}
