package io.holdfast.worker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.config.model.ModelSpec;
import io.holdfast.config.placement.StripeMap;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class LookupPlanTest {
  @Test
  void shouldFindEveryRowOnceAndGroupedByItsServer() {
    for (int seed = 0; seed < 200; seed++) {
      Random random = new Random(seed);
      int tables = 1 + random.nextInt(5);
      ModelSpec model = TestJobs.model(tables, 1 + random.nextInt(50), 4);
      int servers = 1 + random.nextInt(7);
      StripeMap map = StripeMap.of(servers, 1, 0, model.totalRows());
      LookupPlan plan = new LookupPlan(model, map);
      // One plan serves batches of changing size.
      for (int round = 0; round < 4; round++) {
        check(plan, model, map, random, 1 + random.nextInt(60), "seed " + seed);
      }
    }
  }

  private static void check(
      LookupPlan plan, ModelSpec model, StripeMap map, Random random, int samples, String message) {
    int tables = model.tables().size();
    int columns = tables + 2;
    int[] ids = new int[samples * columns];
    for (int sample = 0; sample < samples; sample++) {
      for (int table = 0; table < tables; table++) {
        ids[sample * columns + table] = random.nextInt((int) model.tables().get(table).rows());
      }
    }
    plan.build(ids, columns, samples);

    long[] offsets = model.tableOffsets();
    Set<Long> expected = new HashSet<>();
    for (int sample = 0; sample < samples; sample++) {
      for (int table = 0; table < tables; table++) {
        long row = offsets[table] + ids[sample * columns + table];
        expected.add(row);
        assertEquals(row, plan.rows()[plan.slots()[sample * tables + table]], message);
      }
    }
    assertEquals(expected.size(), plan.unique(), message);
    assertEquals(plan.unique(), plan.start(map.servers()), message);
    Set<Long> found = new HashSet<>();
    for (int server = 0; server < map.servers(); server++) {
      for (int i = plan.start(server); i < plan.start(server + 1); i++) {
        assertEquals(server, map.serverOfRow(plan.rows()[i]), message);
        assertTrue(found.add(plan.rows()[i]), message);
      }
    }
    assertEquals(expected, found, message);
  }

  @Test
  void shouldOrderRowsOfAServerByFirstUse() {
    ModelSpec model = TestJobs.model(1, 100, 4);
    LookupPlan plan = new LookupPlan(model, StripeMap.of(1, 1, 0, 100));
    plan.build(new int[] {7, 3, 7, 99, 3, 0}, 1, 6);
    assertEquals(4, plan.unique());
    assertEquals(7, plan.rows()[0]);
    assertEquals(3, plan.rows()[1]);
    assertEquals(99, plan.rows()[2]);
    assertEquals(0, plan.rows()[3]);
  }
}
