package io.holdfast.server.transaction;

import io.holdfast.server.storage.MappedMemory;
import io.holdfast.server.storage.MemorySettings;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.TreeMap;

/**
 * Bounded memory for staged parts: first fit in one mapping, neighbours joined when freed. Serves a
 * handful of large blocks at a time.
 */
final class StagingArea implements AutoCloseable {
  private static final long ALIGNMENT_BYTES = 64;

  private final MappedMemory memory;

  /** Free blocks: length by offset. */
  private final TreeMap<Long, Long> free = new TreeMap<>();

  private long usedBytes;

  StagingArea(String purpose, long bytes) {
    long aligned = Math.max(ALIGNMENT_BYTES, bytes / ALIGNMENT_BYTES * ALIGNMENT_BYTES);
    memory = MappedMemory.zeroed(purpose, aligned, MemorySettings.DEFAULT);
    free.put(0L, aligned);
  }

  /** What a block of a length takes. */
  static long blockBytes(long lengthBytes) {
    return Math.max(
        ALIGNMENT_BYTES, (lengthBytes + ALIGNMENT_BYTES - 1) / ALIGNMENT_BYTES * ALIGNMENT_BYTES);
  }

  long capacityBytes() {
    return memory.segment().byteSize();
  }

  long usedBytes() {
    return usedBytes;
  }

  /** An aligned block of a multiple of the alignment, or null if there is none now. */
  MemorySegment take(long lengthBytes) {
    long wanted = blockBytes(lengthBytes);
    Map.Entry<Long, Long> block = firstOf(wanted);
    if (block == null) {
      return null;
    }
    // Both are read first: the entry is a view of the map.
    long offset = block.getKey();
    long length = block.getValue();
    free.remove(offset);
    if (length > wanted) {
      free.put(offset + wanted, length - wanted);
    }
    usedBytes += wanted;
    return memory.segment().asSlice(offset, wanted);
  }

  private Map.Entry<Long, Long> firstOf(long lengthBytes) {
    for (Map.Entry<Long, Long> block : free.entrySet()) {
      if (block.getValue() >= lengthBytes) {
        return block;
      }
    }
    return null;
  }

  /** Gives back a block that {@link #take} gave. */
  void release(MemorySegment block) {
    long offset = block.address() - memory.segment().address();
    long length = block.byteSize();
    usedBytes -= length;
    Map.Entry<Long, Long> before = free.lowerEntry(offset);
    if (before != null && before.getKey() + before.getValue() == offset) {
      free.remove(before.getKey());
      offset = before.getKey();
      length += before.getValue();
    }
    Long behind = free.remove(offset + length);
    free.put(offset, behind == null ? length : length + behind);
  }

  @Override
  public void close() {
    memory.close();
  }
}
