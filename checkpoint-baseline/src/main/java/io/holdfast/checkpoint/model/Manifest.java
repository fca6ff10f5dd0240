package io.holdfast.checkpoint.model;

import io.holdfast.config.model.NnLayout;
import io.holdfast.config.model.RowLayout;
import java.util.List;

/**
 * What a saved model says of itself. Its files fit its description, or there is no manifest.
 *
 * @param description shape, optimizer, seed and so on
 * @param rows number of saved rows
 * @param nnUpdates how often the NN was updated
 * @param files {@link #ROWS_FILE}, then {@link #NN_FILE}
 * @param modelDigest {@link ModelDigest#hex} of the model
 */
public record Manifest(
    ModelDescription description,
    long rows,
    long nnUpdates,
    List<SavedFile> files,
    String modelDigest) {

  /** Name of the manifest's own file. */
  public static final String FILE = "manifest.json";

  /** Rows that were ever updated, with their optimizer state, in increasing order. */
  public static final String ROWS_FILE = "rows.bin";

  /** The NN's parameters and optimizer state. */
  public static final String NN_FILE = "nn.bin";

  public Manifest {
    files = List.copyOf(files);
    long total = description.model().totalRows();
    if (rows < 0 || rows > total) {
      throw new IllegalArgumentException(rows + " rows of a model that has " + total);
    }
    if (nnUpdates < 0) {
      throw new IllegalArgumentException(nnUpdates + " updates of the NN");
    }
    if (!modelDigest.matches("[0-9a-f]{64}")) {
      throw new IllegalArgumentException(
          "the model digest '" + modelDigest + "' must be 64 lower-case hexadecimal digits");
    }
    List<String> names = files.stream().map(SavedFile::name).toList();
    if (!names.equals(List.of(ROWS_FILE, NN_FILE))) {
      throw new IllegalArgumentException(
          "the files are " + names + ", must be " + ROWS_FILE + " and " + NN_FILE);
    }
    requireLength(files.get(0), Math.multiplyExact(rows, recordBytes(description)));
    requireLength(files.get(1), nnBytes(description));
  }

  private static void requireLength(SavedFile file, long bytes) {
    if (file.bytes() != bytes) {
      throw new IllegalArgumentException(
          file.name() + " has " + file.bytes() + " bytes, but this model needs " + bytes);
    }
  }

  /** Bytes of a record of {@link #ROWS_FILE}: row, updates, weights and state. */
  static long recordBytes(ModelDescription description) {
    RowLayout layout = RowLayout.of(description.model(), description.optimizer());
    return Long.BYTES + Integer.BYTES + (long) layout.rowFloats() * Float.BYTES;
  }

  /** Bytes of {@link #NN_FILE}: updates, weights and state. */
  static long nnBytes(ModelDescription description) {
    long weights = NnLayout.of(description.model()).parameters();
    return Long.BYTES + (weights + nnStateFloats(description)) * Float.BYTES;
  }

  /** Floats of the NN's optimizer state. */
  static long nnStateFloats(ModelDescription description) {
    int weights = NnLayout.of(description.model()).parameters();
    return description.optimizer().forNn().kind().stateFloats(weights);
  }

  SavedFile rowsFile() {
    return files.get(0);
  }

  SavedFile nnFile() {
    return files.get(1);
  }
}
