package io.holdfast.erasure;

import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;

/**
 * Runs {@link VectorLoops} over native segments. Heap segments, and the bytes after the last whole
 * vector, go to {@link ScalarKernels}.
 */
final class VectorKernels implements Kernels {

  /** Ranges are cut into blocks whose length is an int. */
  private static final int BLOCK_BYTES = 1 << 30;

  /** Sources of one loop at most. */
  private static final int GROUP = 4;

  private enum Pairwise {
    XOR,
    ADD,
    SUBTRACT
  }

  private final ScalarKernels scalar = new ScalarKernels();

  @Override
  public String name() {
    return "vector-" + VectorLoops.bits();
  }

  @Override
  public boolean combines() {
    return CombinedLoops.AVAILABLE;
  }

  @Override
  public void combine(
      LinearRow[] rows,
      MemorySegment[] sources,
      long[] sourceOffsets,
      MemorySegment[] targets,
      long[] targetOffsets,
      long position,
      int lengthBytes) {
    int vectorBytes =
        areNative(sources) && areNative(targets) ? lengthBytes & -VectorLoops.LANES : 0;
    if (vectorBytes > 0) {
      try {
        int row = 0;
        if (sources.length >= GROUP) {
          for (; row + 1 < rows.length; row += 2) {
            combineTwo(
                rows[row],
                rows[row + 1],
                sources,
                sourceOffsets,
                address(targets, targetOffsets, row, position),
                address(targets, targetOffsets, row + 1, position),
                position,
                vectorBytes);
          }
        }
        for (; row < rows.length; row++) {
          combineOne(
              rows[row],
              0,
              sources,
              sourceOffsets,
              address(targets, targetOffsets, row, position),
              position,
              vectorBytes);
        }
      } finally {
        Reference.reachabilityFence(sources);
        Reference.reachabilityFence(targets);
      }
    }
    if (vectorBytes < lengthBytes) {
      scalar.combine(
          rows,
          sources,
          sourceOffsets,
          targets,
          targetOffsets,
          position + vectorBytes,
          lengthBytes - vectorBytes);
    }
  }

  /** Two targets: groups of four sources are read once for both. */
  private static void combineTwo(
      LinearRow p,
      LinearRow q,
      MemorySegment[] sources,
      long[] sourceOffsets,
      long toP,
      long toQ,
      long position,
      int lengthBytes) {
    int i = 0;
    for (; i <= sources.length - GROUP; i += GROUP) {
      long a = address(sources, sourceOffsets, i, position);
      long b = address(sources, sourceOffsets, i + 1, position);
      long c = address(sources, sourceOffsets, i + 2, position);
      long d = address(sources, sourceOffsets, i + 3, position);
      byte[] tablesP = p.combined();
      byte[] tablesQ = q.combined();
      int group = i / GROUP;
      if (tablesQ != null && p.allOnes()) {
        CombinedLoops.multiply4AndXor(tablesQ, group, a, b, c, d, toQ, toP, lengthBytes);
      } else if (tablesQ != null) {
        CombinedLoops.multiply4Twice(tablesP, tablesQ, group, a, b, c, d, toP, toQ, lengthBytes);
      } else if (p.allOnes()) {
        VectorLoops.multiply4AndXor(q.coefficients(), i, a, b, c, d, toQ, toP, lengthBytes);
      } else {
        VectorLoops.multiply4Twice(
            p.coefficients(), q.coefficients(), i, a, b, c, d, toP, toQ, lengthBytes);
      }
    }
    if (i < sources.length) {
      combineOne(p, i, sources, sourceOffsets, toP, position, lengthBytes);
      combineOne(q, i, sources, sourceOffsets, toQ, position, lengthBytes);
    }
  }

  /** One target; sources before {@code first} are in it already. */
  private static void combineOne(
      LinearRow row,
      int first,
      MemorySegment[] sources,
      long[] sourceOffsets,
      long to,
      long position,
      int lengthBytes) {
    if (row.allOnes()) {
      combineByXor(first, sources, sourceOffsets, to, position, lengthBytes);
    } else {
      combineByTables(row, first, sources, sourceOffsets, to, position, lengthBytes);
    }
  }

  /** The target so far (or else the first source) and three more sources at a time. */
  private static void combineByXor(
      int first,
      MemorySegment[] sources,
      long[] sourceOffsets,
      long to,
      long position,
      int lengthBytes) {
    int count = sources.length;
    if (count == 1) {
      VectorLoops.copy(address(sources, sourceOffsets, 0, position), to, lengthBytes);
      return;
    }
    long a = first == 0 ? address(sources, sourceOffsets, 0, position) : to;
    for (int i = Math.max(first, 1); i < count; i += 3) {
      long b = address(sources, sourceOffsets, i, position);
      if (i + 1 == count) {
        VectorLoops.xor2(a, b, to, lengthBytes);
        return;
      }
      long c = address(sources, sourceOffsets, i + 1, position);
      if (i + 2 == count) {
        VectorLoops.xor3(a, b, c, to, lengthBytes);
        return;
      }
      long d = address(sources, sourceOffsets, i + 2, position);
      VectorLoops.xor4(a, b, c, d, to, lengthBytes);
      a = to;
    }
  }

  /** Four sources at a time, then two, then one. */
  private static void combineByTables(
      LinearRow row,
      int first,
      MemorySegment[] sources,
      long[] sourceOffsets,
      long to,
      long position,
      int lengthBytes) {
    int[] coefficients = row.coefficients();
    byte[] combined = row.combined();
    int count = sources.length;
    int i = first;
    for (; i <= count - GROUP; i += GROUP) {
      long a = address(sources, sourceOffsets, i, position);
      long b = address(sources, sourceOffsets, i + 1, position);
      long c = address(sources, sourceOffsets, i + 2, position);
      long d = address(sources, sourceOffsets, i + 3, position);
      if (combined != null) {
        CombinedLoops.multiply4(combined, i / GROUP, a, b, c, d, to, lengthBytes);
      } else {
        VectorLoops.multiply4(coefficients, i, a, b, c, d, to, lengthBytes);
      }
    }
    if (i <= count - 2) {
      VectorLoops.multiply2(
          coefficients,
          i,
          address(sources, sourceOffsets, i, position),
          address(sources, sourceOffsets, i + 1, position),
          to,
          lengthBytes);
      i += 2;
    }
    if (i < count) {
      if (i == 0) {
        VectorLoops.clear(to, lengthBytes);
      }
      VectorLoops.multiply1(
          coefficients[i], address(sources, sourceOffsets, i, position), to, lengthBytes);
    }
  }

  private static long address(MemorySegment[] segments, long[] offsets, int index, long position) {
    return segments[index].address() + offsets[index] + position;
  }

  @Override
  public void multiplyFold(
      int coefficient,
      MemorySegment source,
      long sourceOffset,
      MemorySegment target,
      long targetOffset,
      long lengthBytes) {
    if (coefficient == 1) {
      xor(source, sourceOffset, target, targetOffset, target, targetOffset, lengthBytes);
      return;
    }
    long done = 0;
    if (source.isNative() && target.isNative()) {
      long from = source.address() + sourceOffset;
      long to = target.address() + targetOffset;
      try {
        while (lengthBytes - done >= VectorLoops.LANES) {
          int block = vectorBlock(lengthBytes - done);
          VectorLoops.multiply1(coefficient, from + done, to + done, block);
          done += block;
        }
      } finally {
        Reference.reachabilityFence(source);
        Reference.reachabilityFence(target);
      }
    }
    if (done < lengthBytes) {
      scalar.multiplyFold(
          coefficient,
          source,
          sourceOffset + done,
          target,
          targetOffset + done,
          lengthBytes - done);
    }
  }

  @Override
  public void xor(
      MemorySegment a,
      long aOffset,
      MemorySegment b,
      long bOffset,
      MemorySegment target,
      long targetOffset,
      long lengthBytes) {
    long done = pairwise(Pairwise.XOR, a, aOffset, b, bOffset, target, targetOffset, lengthBytes);
    if (done < lengthBytes) {
      scalar.xor(
          a, aOffset + done, b, bOffset + done, target, targetOffset + done, lengthBytes - done);
    }
  }

  @Override
  public void addFloats(
      MemorySegment a,
      long aOffset,
      MemorySegment b,
      long bOffset,
      MemorySegment target,
      long targetOffset,
      long lengthBytes) {
    long done = pairwise(Pairwise.ADD, a, aOffset, b, bOffset, target, targetOffset, lengthBytes);
    if (done < lengthBytes) {
      scalar.addFloats(
          a, aOffset + done, b, bOffset + done, target, targetOffset + done, lengthBytes - done);
    }
  }

  @Override
  public void subtractFloats(
      MemorySegment a,
      long aOffset,
      MemorySegment b,
      long bOffset,
      MemorySegment target,
      long targetOffset,
      long lengthBytes) {
    long done =
        pairwise(Pairwise.SUBTRACT, a, aOffset, b, bOffset, target, targetOffset, lengthBytes);
    if (done < lengthBytes) {
      scalar.subtractFloats(
          a, aOffset + done, b, bOffset + done, target, targetOffset + done, lengthBytes - done);
    }
  }

  /** Computes all whole vectors; returns how many bytes these are, 0 for heap segments. */
  private static long pairwise(
      Pairwise operation,
      MemorySegment a,
      long aOffset,
      MemorySegment b,
      long bOffset,
      MemorySegment target,
      long targetOffset,
      long lengthBytes) {
    if (!a.isNative() || !b.isNative() || !target.isNative()) {
      return 0;
    }
    long first = a.address() + aOffset;
    long second = b.address() + bOffset;
    long to = target.address() + targetOffset;
    long done = 0;
    try {
      while (lengthBytes - done >= VectorLoops.LANES) {
        int block = vectorBlock(lengthBytes - done);
        switch (operation) {
          case XOR -> VectorLoops.xor2(first + done, second + done, to + done, block);
          case ADD -> VectorLoops.add(first + done, second + done, to + done, block);
          case SUBTRACT -> VectorLoops.subtract(first + done, second + done, to + done, block);
        }
        done += block;
      }
    } finally {
      Reference.reachabilityFence(a);
      Reference.reachabilityFence(b);
      Reference.reachabilityFence(target);
    }
    return done;
  }

  private static boolean areNative(MemorySegment[] segments) {
    for (MemorySegment segment : segments) {
      if (!segment.isNative()) {
        return false;
      }
    }
    return true;
  }

  /** The next block of a range: whole vectors only. */
  private static int vectorBlock(long lengthBytes) {
    return (int) Math.min(lengthBytes, BLOCK_BYTES) & -VectorLoops.LANES;
  }
}
