package io.holdfast.server.storage;

import io.holdfast.config.model.ModelSpec;
import io.holdfast.config.model.ParameterInit;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/** Initial weights of any row of the model. Remembers the last table: batches come sorted. */
final class InitialRows {
  private final ParameterInit init;
  private final int dim;
  private final long[] offsets;
  private final float[] scales;
  private int lastTable;

  InitialRows(ModelSpec model, ParameterInit init) {
    this.init = init;
    dim = model.dim();
    offsets = model.tableOffsets();
    scales = new float[model.tables().size()];
    for (int table = 0; table < scales.length; table++) {
      scales[table] = ParameterInit.embeddingScale(model.tables().get(table).rows());
    }
  }

  void write(long row, MemorySegment target, long offsetBytes) {
    init.row(row, scales[tableOf(row)], dim, target, offsetBytes);
  }

  private int tableOf(long row) {
    if (row < offsets[lastTable] || row >= offsets[lastTable + 1]) {
      int found = Arrays.binarySearch(offsets, row);
      lastTable = found >= 0 ? found : -found - 2;
    }
    return lastTable;
  }
}
