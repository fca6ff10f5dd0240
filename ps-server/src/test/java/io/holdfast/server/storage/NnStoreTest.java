package io.holdfast.server.storage;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.holdfast.config.model.NnLayout;
import io.holdfast.config.model.OptimizerKind;
import io.holdfast.config.model.OptimizerSpec;
import io.holdfast.config.model.ParameterInit;
import io.holdfast.config.placement.Epoch;
import io.holdfast.config.placement.NnShards;
import io.holdfast.config.protocol.RefusalReason;
import io.holdfast.config.protocol.ShardVersion;
import io.holdfast.server.TestJobs;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

class NnStoreTest {
  private static final NnLayout LAYOUT = NnLayout.of(TestJobs.model(5, 10, 20));
  private static final int SHARD = 7;
  private static final Epoch EPOCH = new Epoch(1, 4);

  private static NnStore store(int servers, int server, OptimizerSpec spec) {
    return new NnStore(
        LAYOUT,
        new NnShards(LAYOUT.parameters(), SHARD, servers),
        spec,
        server,
        0,
        EPOCH,
        new ParameterInit(3),
        MemorySettings.DEFAULT);
  }

  @Test
  void shouldHoldTheSameInitialVectorOnAnyNumberOfServers() throws RefusedException {
    float[] expected = new float[LAYOUT.parameters()];
    new ParameterInit(3).nn(LAYOUT, 0, expected.length, MemorySegment.ofArray(expected));
    for (int servers = 1; servers <= 4; servers++) {
      float[] actual = new float[expected.length];
      NnShards shards = new NnShards(expected.length, SHARD, servers);
      for (int server = 0; server < servers; server++) {
        try (NnStore store = store(servers, server, OptimizerSpec.of(OptimizerKind.ADAM))) {
          for (int shard = 0; shard < shards.count(); shard++) {
            if (shards.primary(shard) == server) {
              float[] weights = store.weights(shard).toArray(ValueLayout.JAVA_FLOAT_UNALIGNED);
              System.arraycopy(weights, 0, actual, shards.from(shard), weights.length);
            } else {
              int foreign = shard;
              RefusedException refusal =
                  assertThrows(RefusedException.class, () -> store.weights(foreign));
              assertEquals(RefusalReason.NOT_OWNER, refusal.reason());
            }
          }
        }
      }
      assertArrayEquals(expected, actual, servers + " servers");
    }
  }

  @Test
  void shouldCountUpdatesInItsVersionAndUseAdagradForRowwiseAdagrad() throws RefusedException {
    OptimizerSpec spec = new OptimizerSpec(OptimizerKind.ROWWISE_ADAGRAD, 0, 0, 0, 1e-8f, 0.5f);
    try (NnStore store = store(1, 0, spec)) {
      assertEquals(2 * 4 * SHARD, store.exportBytes(0));
      assertEquals(new ShardVersion(EPOCH, 0), store.version(0));
      float[] all = store.all(0).toArray(ValueLayout.JAVA_FLOAT_UNALIGNED);
      assertEquals(0.5f, all[SHARD]);
      store.apply(0, TestJobs.fill(SHARD, 2f), 0.1f);
      assertEquals(new ShardVersion(EPOCH, 1), store.version(0));
      assertEquals(new ShardVersion(EPOCH, 0), store.version(1));
      float[] after = store.all(0).toArray(ValueLayout.JAVA_FLOAT_UNALIGNED);
      assertEquals(4.5f, after[SHARD]);
      assertEquals(all[0] - 0.2f / (float) Math.sqrt(4.5f), after[0], 1e-6f);
    }
  }

  @Test
  void shouldImportOnlyWhatFits() throws RefusedException {
    OptimizerSpec spec = OptimizerSpec.of(OptimizerKind.MOMENTUM);
    try (NnStore store = store(2, 0, spec)) {
      assertFalse(store.importShard(1, 5, TestJobs.fill(2 * SHARD, 1f)), "the other server's");
      store.importShard(2, 5, TestJobs.fill(2 * SHARD, 1f));
      assertEquals(new ShardVersion(EPOCH, 5), store.version(2));
      assertEquals(1f, store.weights(2).get(ValueLayout.JAVA_FLOAT_UNALIGNED, 0));
      assertThrows(
          IllegalArgumentException.class, () -> store.importShard(2, 5, TestJobs.fill(SHARD, 1f)));
      assertThrows(
          IllegalArgumentException.class,
          () -> store.importShard(99, 5, TestJobs.fill(2 * SHARD, 1f)));
    }
  }
}
