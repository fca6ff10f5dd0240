package io.holdfast.server.transaction;

import io.holdfast.config.protocol.DataMessage;
import io.holdfast.config.protocol.Payload;
import java.lang.foreign.MemorySegment;

/** One Stage message's content, copied out of its frame into a block of the staging area. */
sealed interface StagedPart {
  MemorySegment block();

  /** Gradients start at a cache line. */
  long ALIGNMENT_BYTES = 64;

  /** Row gradients: {@code count} int64 ids and {@code [count, dim]} floats. */
  record Rows(MemorySegment block, int count, MemorySegment ids, MemorySegment gradients)
      implements StagedPart {}

  /** An NN shard's gradients. */
  record Shard(MemorySegment block, int shard, MemorySegment gradients) implements StagedPart {}

  /** Memory that a message's copy needs. */
  static long lengthBytes(DataMessage.Stage message) {
    return switch (message) {
      case DataMessage.StageRows m -> align(m.rows().lengthBytes()) + m.gradients().lengthBytes();
      case DataMessage.StageShard m -> m.gradients().lengthBytes();
    };
  }

  /** Copies a message into a block of at least {@link #lengthBytes}. */
  static StagedPart copy(DataMessage.Stage message, MemorySegment block) {
    return switch (message) {
      case DataMessage.StageRows m ->
          new Rows(
              block,
              m.count(),
              copy(m.rows(), block, 0),
              copy(m.gradients(), block, align(m.rows().lengthBytes())));
      case DataMessage.StageShard m -> new Shard(block, m.shard(), copy(m.gradients(), block, 0));
    };
  }

  private static MemorySegment copy(Payload payload, MemorySegment block, long at) {
    payload.writeTo(block, at);
    return block.asSlice(at, payload.lengthBytes());
  }

  private static long align(long bytes) {
    return (bytes + ALIGNMENT_BYTES - 1) / ALIGNMENT_BYTES * ALIGNMENT_BYTES;
  }
}
