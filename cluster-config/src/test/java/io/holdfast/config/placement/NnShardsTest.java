package io.holdfast.config.placement;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class NnShardsTest {
  @Test
  void shouldCoverEveryParameterOnce() {
    for (int parameters : new int[] {1, 2, 99, 100, 101, 2_140_545}) {
      for (int shardFloats : new int[] {1, 7, 100, 65_536}) {
        if (parameters / shardFloats > 100_000) {
          continue;
        }
        NnShards shards = new NnShards(parameters, shardFloats, 5);
        int next = 0;
        for (int shard = 0; shard < shards.count(); shard++) {
          assertEquals(next, shards.from(shard));
          assertTrue(shards.length(shard) >= 1 && shards.length(shard) <= shardFloats);
          next += shards.length(shard);
        }
        assertEquals(parameters, next);
      }
    }
  }

  @Test
  void shouldSpreadPrimariesEvenly() {
    NnShards shards = new NnShards(1003, 10, 7);
    int[] primaries = new int[7];
    for (int shard = 0; shard < shards.count(); shard++) {
      primaries[shards.primary(shard)]++;
    }
    for (int count : primaries) {
      assertTrue(count == 14 || count == 15, "shards of a server: " + count);
    }
  }

  @Test
  void shouldCountShardsNearTheLargestInt() {
    NnShards shards = new NnShards(Integer.MAX_VALUE, 1 << 20, 3);
    assertEquals(2048, shards.count());
    assertEquals((1 << 20) - 1, shards.length(2047));
  }

  @Test
  void shouldRefuseNonsense() {
    assertThrows(IllegalArgumentException.class, () -> new NnShards(0, 1, 1));
    assertThrows(IllegalArgumentException.class, () -> new NnShards(1, 0, 1));
    assertThrows(IllegalArgumentException.class, () -> new NnShards(1, 1, 0));
  }
}
