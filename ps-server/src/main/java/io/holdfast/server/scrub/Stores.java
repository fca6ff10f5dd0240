package io.holdfast.server.scrub;

import io.holdfast.config.placement.NnShards;
import io.holdfast.config.placement.StripeMap;
import io.holdfast.config.protocol.ShardVersion;
import io.holdfast.erasure.ErasureCode;
import io.holdfast.server.storage.NnStore;
import io.holdfast.server.storage.ParityStore;
import io.holdfast.server.storage.RefusedException;
import io.holdfast.server.storage.RowStore;
import java.lang.foreign.MemorySegment;

/** A server's stores as scrubs see them. */
public final class Stores {
  private Stores() {}

  /** Parities of a store. */
  public record Parities(ParityStore store) implements KeptParities {
    @Override
    public boolean isTouched(long place) {
      return !store.isUntouched(place);
    }

    @Override
    public int counter(long place, int member) {
      return store.counter(place, member);
    }

    @Override
    public MemorySegment segment() {
      return store.memory();
    }

    @Override
    public long offset(long place) {
      return store.offset(place);
    }

    @Override
    public void replace(long place, MemorySegment values, long offsetBytes, int[] counters) {
      store.repair(place, values, offsetBytes, counters);
    }
  }

  /** Own rows of a store. */
  public record Rows(RowStore store, StripeMap map, int server, ErasureCode code)
      implements ScrubAnswers.OwnRows {
    @Override
    public boolean owns(long row) {
      return map.serverOfRow(row) == server;
    }

    @Override
    public boolean repair(
        long row, int foundCounter, int rightCounter, MemorySegment changes, long offsetBytes) {
      return store.repair(row, foundCounter, rightCounter, code, changes, offsetBytes);
    }
  }

  /** Copies of NN shards of a store. */
  public record Shards(NnStore store, NnShards shards) implements KeptShards {
    @Override
    public boolean isKept(int shard) {
      return store.hasReplica(shard);
    }

    @Override
    public ShardVersion version(int shard) {
      try {
        return store.replicaVersion(shards.primary(shard), shard);
      } catch (RefusedException e) {
        throw new IllegalArgumentException("no copy of NN shard " + shard, e);
      }
    }

    @Override
    public long digest(int shard) {
      try {
        return NnStore.digest(store.replica(shards.primary(shard), shard));
      } catch (RefusedException e) {
        throw new IllegalArgumentException("no copy of NN shard " + shard, e);
      }
    }
  }
}
