package io.holdfast.worker.dense;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.holdfast.config.model.Presets;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class BlockTest {
  @Test
  void shouldMultiplyTheSameWayByOpenBlasByNd4jAndByHand() {
    Nd4jRuntime.start(1);
    try (EngineBuffers memory = new EngineBuffers(Presets.named("kaggle"), 1)) {
      for (int seed = 0; seed < 40; seed++) {
        SplittableRandom random = new SplittableRandom(seed);
        int rows = 1 + random.nextInt(20);
        int inner = 1 + random.nextInt(20);
        int columns = 1 + random.nextInt(20);
        boolean transposeA = random.nextBoolean();
        boolean transposeB = random.nextBoolean();
        Block a = block(memory, transposeA ? inner : rows, transposeA ? rows : inner, random);
        Block b = block(memory, transposeB ? columns : inner, transposeB ? inner : columns, random);
        Block first = block(memory, rows, columns, random);
        Block second = block(memory, rows, columns, random);
        Block.multiplyByOpenBlas(a, transposeA, b, transposeB, first);
        Block.multiplyByNd4j(a, transposeA, b, transposeB, second);
        for (int row = 0; row < rows; row++) {
          for (int column = 0; column < columns; column++) {
            double expected = 0;
            for (int i = 0; i < inner; i++) {
              double left = transposeA ? get(a, i, row) : get(a, row, i);
              double right = transposeB ? get(b, column, i) : get(b, i, column);
              expected += left * right;
            }
            assertEquals(expected, get(first, row, column), 1e-5, "seed " + seed);
            assertEquals(expected, get(second, row, column), 1e-5, "seed " + seed);
          }
        }
      }
    }
  }

  private static float get(Block block, int row, int column) {
    return EngineFixture.get(block.memory(), block.offset() + (long) column * block.rows() + row);
  }

  /** Somewhere in a larger array, filled at random. */
  private static Block block(EngineBuffers memory, int rows, int columns, SplittableRandom random) {
    int before = random.nextInt(5);
    FloatArray array = memory.allocate(before + (long) rows * columns + 3);
    for (int i = 0; i < rows * columns; i++) {
      EngineFixture.set(array.segment(), before + i, random.nextFloat() - 0.5f);
    }
    return array.block(before, rows, columns);
  }
}
